// The life of a task: start, step, cancel, end.
// SPDX-License-Identifier: MIT
#include <asyncio/task.hpp>

#include "core/chain.hpp"
#include "core/context.hpp"
#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/step.hpp"
#include "core/task_text.hpp"
#include "core/traceback.hpp"

#include <string>

namespace asyncio::inline v0::detail {
namespace {
void step_inside(TaskState& task) noexcept;
}

constinit thread_local ThreadState thread_state{};

// ---- start

void throw_no_loop() {
  throw RuntimeError("create_task: no loop runs in this thread; call it from a coroutine or "
                     "callback, or use asyncio::run()");
}

namespace {

// The name, the context and the task factory, where there is more to them than for most tasks.
void dress_task(TaskState& task, const TaskOptions& options) {
  LoopBase& loop = *task.loop;
  task.name = static_cast<std::uintptr_t>(loop.tasks_made + 1) << 1;
  if (!options.name.empty()) set_task_name(task, options.name);
  if (options.context) task.context = share_slot(*options.context);
  else task.context = copy_current();
  ++loop.tasks_made;  // before the factory, which may make tasks of its own
  if (const auto factory = loop_of(loop).task_factory) [[unlikely]] {  // it may replace itself
    try {
      (*factory)(loop_of(loop).facade, HandleAccess::retain<AnyTask>(task));
    } catch (...) {
      ++loop.tasks_ended;
      throw;
    }
  }
}

}  // namespace

void start_eagerly(TaskState& task) {
  // Eager starts that start others eagerly are bounded like awaits are [R115].
  constexpr int deepest = 64;
  if (thread_state.eager_depth < deepest) step_inside(task);
  else task.loop->ready.push(task);
}

void register_task(TaskState& task, FrameHandle& frame, const TaskOptions& options) {
  if (options.name.empty() && !options.context && makes_plain_tasks(*task.loop)) {
    number_task(task);
  } else {
    try {
      dress_task(task, options);  // a task factory may look at it, and throw
    } catch (...) {
      // The factory may have kept a handle: a cancelled task is what it sees.
      task.set(ResultState::done | ResultState::seen | ResultState::cancelled);
      task.release();
      throw;
    }
  }
  task.resume_at = std::exchange(frame, nullptr);
  admit_task(task);
}

// ---- step

ASYNCIO_COLD void step_cancelled(TaskState& task) noexcept {
  // A frame that has run and waits stands at some co_await.
  if (PromiseBase::promise_of(task.resume_at).standing.place()) drive(task);
  else tear_down(task);
}

namespace {

// The same, from inside another task or callback [R115].
void step_inside(TaskState& task) noexcept {
  ThreadState& thread = thread_state;
  const ThreadState outer = thread;
  ++thread.eager_depth;
  thread.context = nullptr;
  step(task);
  thread = outer;
}

}  // namespace

// ---- cancel

bool cancel_task(TaskState& task, std::string_view message) noexcept {
  CancelRequest request(message);
  return request.add(task);
}

int TaskState::uncancel() noexcept {
  if (requests > 0 && --requests == 0) clear(must_cancel);
  return static_cast<int>(requests);
}

bool CancelRequest::add(ResultState& state) noexcept {
  if (state.kind == ReadyNode::Kind::future) return cancel_future(state, message);
  auto& task = static_cast<TaskState&>(state);
  if (task.is_done()) {
    task.set(ResultState::seen);
    return false;
  }
  ++task.requests;
  // What a cut wait throws is decided; a request that comes after it says nothing any more.
  if (!task.is(ResultState::interrupted)) set_cancel_message(task, message);
  if (!task.waiting) {
    task.set(ResultState::must_cancel);
    return true;
  }
  if (task.is(ResultState::visited)) return true;  // it has been asked: it will end
  task.set(ResultState::visited);
  task.next_cancelled = std::exchange(*insert_, &task);
  insert_ = &task.next_cancelled;
  return true;
}

void CancelRequest::work_off() noexcept {
  while (to_do_) {
    TaskState& task = *to_do_;
    to_do_ = task.next_cancelled;
    insert_ = &to_do_;
    task.next_cancelled = std::exchange(visited_, &task);
    if (task.waiting) visit(task);
    else task.set(ResultState::must_cancel);  // a future that was cancelled meanwhile woke it
  }
  break_cycles();
  while (visited_) {
    TaskState& task = *visited_;
    visited_ = task.next_cancelled;
    task.clear(ResultState::visited);
  }
}

void CancelRequest::visit(TaskState& task) noexcept {
  if (!task.waiting->cancel(*this)) interrupt(task);
}

void CancelRequest::interrupt(TaskState& task) noexcept {
  task.set(ResultState::interrupted);
  make_ready(task);
}

// Follows who waits for whom among the tasks that passed the request on. A walk that comes back to
// itself has found a circle, in which everybody would wait for everybody's end.
void CancelRequest::break_cycles() noexcept {
  const auto passed_on = [](const TaskState* task) {
    return task && task->is(ResultState::visited) && task->waiting;
  };
  for (TaskState* from = visited_; from; from = from->next_cancelled) {
    TaskState* at = from;
    while (passed_on(at) && !at->is(ResultState::on_walk)) {
      at->set(ResultState::on_walk);
      at = at->waiting->awaited();
    }
    TaskState* const in_circle = passed_on(at) ? at : nullptr;
    // `visited` is wiped off behind the walk, so that each task is walked over once.
    for (at = from; at && at->is(ResultState::on_walk); at = at->waiting->awaited()) {
      at->clear(ResultState::on_walk | ResultState::visited);
    }
    if (in_circle) {
      in_circle->waiting->leave();
      interrupt(*in_circle);
    }
  }
}

void deliver_late_cancel(TaskState& task) noexcept {
  task.clear(ResultState::must_cancel);
  CancelRequest request(cancel_message(task));
  request.visit(task);
}

std::exception_ptr make_cancelled_error(const TaskState& task) {
  return std::make_exception_ptr(CancelledError(cancel_message(task)));
}

Raised cancelled_error() noexcept { return give_up(make_cancelled_error(*thread_state.task)); }

// ---- end

namespace {

// Of thousands of tasks that are cancelled and wait to be joined, each would keep an exception: one
// that says no more than the message and a single place is made anew for whoever asks.
ASYNCIO_COLD void look_at_cancellation(TaskState& task, const CancelledError& why) noexcept {
  task.set(ResultState::cancelled);
  if (task.base_chain > 1 || why.message() != cancel_message(task)) return;
  task.cancelled_at = chain_innermost(task.error);
  task.error = nullptr;
}

ASYNCIO_COLD void look_at_error(TaskState& task) noexcept {
  task.base_chain = chain_length(task.error);
  if (const CancelledError* why = as_cancellation(task.error)) {
    look_at_cancellation(task, *why);
  } else if (is_exit(task.error)) {
    task.set(ResultState::seen);
    loop_of(*task.loop).end_with(task.error);
  }
}

void end_task(TaskState& task) noexcept {
  task.resume_at = nullptr;  // its frame is gone, and error handlers may ask for its stack
  task.cancelled_at = nullptr;
  if (task.error) [[unlikely]] {
    look_at_error(task);
  } else if (task.loop->debug && task.requests > 0 && !task.is_cancelled()) [[unlikely]] {
    report_swallowed(task);
  }
  task.clear(ResultState::must_cancel | ResultState::interrupted);
  task.set(ResultState::done);
  task.all.unlink();
  ++task.loop->tasks_ended;
  if (task.waiters) task.wake_all();
  if (task.is(ResultState::detached | ResultState::asked_to_leave)) report_error_at_end(task);
  task.release();
}

ASYNCIO_COLD void fail_task(TaskState& task, PromiseBase& root) noexcept {
  task.error = root.standing.take_error();
  destroy_failed(root);
  end_task(task);
}

}  // namespace

void finish_task(TaskState& task, PromiseBase& root) noexcept {
  if (root.standing.failed()) [[unlikely]] return fail_task(task, root);
  if (task.is(ResultState::must_cancel)) [[unlikely]] {
    task.set(ResultState::cancelled);  // the value is dropped with the frame [R17]
  } else if (task.ops->keep) {
    try {
      task.ops->keep(task, root);
    } catch (...) {
      task.error = std::current_exception();
    }
  }
  PromiseBase::handle_of(root).destroy();
  end_task(task);
}

void tear_down(TaskState& task) noexcept {
  if (Waiter* const waiter = std::exchange(task.waiting, nullptr)) waiter->leave();
  const Silence silence;
  ThreadState& thread = thread_state;
  auto frame = task.resume_at;
  while (frame) {
    PromiseBase* const parent = PromiseBase::promise_of(frame).parent;
    task.resume_at = parent ? PromiseBase::handle_of(*parent) : nullptr;
    // The parent's awaiter still points at this frame, and its destructor is the first thing that
    // destroying the parent runs: it finds the address here and keeps off.
    frame.destroy();
    thread.torn = frame.address();
    frame = parent ? PromiseBase::handle_of(*parent) : nullptr;
  }
  thread.torn = nullptr;
  task.set(ResultState::cancelled);
  end_task(task);
}

void destroy_abandoned(std::coroutine_handle<> frame) noexcept {
  if (std::exchange(thread_state.torn, nullptr) == frame.address()) return;
  frame.destroy();
}

void throw_empty_coro() {
  throw RuntimeError("co_await: this coroutine was moved from or awaited already; call the "
                     "function again for a new one");
}

// ---- handles

void HandleAccess::cancel(const ResultHandle& handle) noexcept {
  CancelRequest request({});
  if (handle.state_) request.add(*handle.state_);
}

bool TaskHandle::cancel(std::string_view message) const {
  TaskState& self = task();
  if (!self.is_done()) loop_of(*self.loop).check_thread("Task::cancel");
  return cancel_task(self, message);
}

std::string TaskHandle::get_name() const { return task_name(task()); }
void TaskHandle::set_name(std::string_view name) const { set_task_name(task(), name); }

std::uint64_t TaskHandle::get_id() const {
  return reinterpret_cast<std::uintptr_t>(&task());
}

void TaskHandle::detach() && {
  TaskState& state = task();
  if (state.is_done()) report_unseen_error(state);
  else state.set(ResultState::detached);
  release_state().release();
}

}  // namespace asyncio::inline v0::detail

namespace asyncio::inline v0 {

std::optional<AnyTask> current_task() {
  detail::TaskState* const task = detail::thread_state.task;
  if (!task) return std::nullopt;
  return detail::HandleAccess::retain<AnyTask>(*task);
}

std::vector<AnyTask> all_tasks() {
  std::vector<AnyTask> tasks;
  if (detail::LoopBase* const loop = detail::thread_state.loop) {
    for (auto* at = loop->tasks.following; at != &loop->tasks; at = at->following) {
      tasks.push_back(detail::HandleAccess::retain<AnyTask>(detail::task_in_ring(*at)));
    }
  }
  return tasks;
}

}  // namespace asyncio::inline v0
