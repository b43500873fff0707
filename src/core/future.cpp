// Ends, and those who wait for them: what tasks and futures have in common.
// SPDX-License-Identifier: MIT
#include <asyncio/future.hpp>

#include "core/chain.hpp"
#include "core/context.hpp"
#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/task_text.hpp"
#include "core/traceback.hpp"

#include <utility>

namespace asyncio::inline v0::detail {

// ---- the line

// Here and not in the header, so that the tables of these are compiled once.
TaskState* Waiter::awaited() const noexcept { return nullptr; }
DoneCallback* Completion::as_callback() noexcept { return nullptr; }
bool Completion::cancel(CancelRequest&) noexcept { return false; }
void Completion::leave() noexcept {}

void ResultState::add_waiter(Completion& link) noexcept {
  if (waiters) waiters->append(link);
  else waiters = &link;
}

void ResultState::remove_waiter(Completion& link) noexcept {
  if (waiters == &link) waiters = link.alone() ? nullptr : link.following;
  link.unlink();
}

void ResultState::wake_all() noexcept {
  if (waiters->alone()) [[likely]] {
    return static_cast<Completion&>(*std::exchange(waiters, nullptr)).completed();
  }
  while (waiters) {
    auto& first = static_cast<Completion&>(*waiters);
    remove_waiter(first);
    first.completed();
  }
}

// ---- the end

void ResultState::require_value() const {
  auto& self = const_cast<ResultState&>(*this);
  if (!is_done()) {
    throw InvalidStateError("result: it is not done yet; co_await it, or ask done() first");
  }
  self.set(seen);
  if (std::exception_ptr why = failure()) {
    chain_truncate(why, base_chain);
    std::rethrow_exception(std::move(why));
  }
  if (is(taken)) throw_result_taken();
}

std::exception_ptr ResultState::failure() const {
  if (error) return error;
  if (!is(cancelled)) return nullptr;
  const auto* const task =
      kind == Kind::task ? static_cast<const TaskState*>(this) : nullptr;
  auto made = std::make_exception_ptr(CancelledError(task ? cancel_message(*task) : ""));
  if (task && task->cancelled_at) chain_append(made, task->cancelled_at, this);
  return made;
}

std::exception_ptr ResultState::take_failure() {
  set(seen);
  std::exception_ptr why = failure();
  if (references == 1) error = nullptr;
  chain_truncate(why, base_chain);
  return why;
}

void ResultState::let_go() noexcept {
  if (error || waiters) [[unlikely]] {
    if (!last_words()) return;
  }
  if (kind == Kind::task) [[likely]] {
    auto& task = static_cast<TaskState&>(*this);
    if (task.name & 1) [[unlikely]] drop_task_text(task);
    if (task.context.word) [[unlikely]] drop_slot(task.context);
  }
  LoopBase* const home = loop;
  const std::size_t size = ops->size;
  if (ops->drop) ops->drop(*this);
  this->~ResultState();  // of what a task has more, nothing is left
  frame_free(this, size);
  if (--home->results == 0) [[unlikely]] {
    if (loop_of(*home).gone) delete &loop_of(*home);
  }
}

// Reports an error that nobody has asked for, and drops the callbacks of a future that nobody can
// set any more. False if the handler has kept a handle.
ASYNCIO_COLD bool ResultState::last_words() noexcept {
  report_unseen_error(*this);
  if (references > 0) return false;
  while (waiters) {
    auto& first = static_cast<Completion&>(*waiters);
    remove_waiter(first);
    if (DoneCallback* const callback = first.as_callback()) {
      callback->drop_callable();
      callback->release();
    }
  }
  return true;
}

ASYNCIO_COLD void ResultState::left_to_the_loop() noexcept {
  if (kind == Kind::task && loop->debug && !is(detached)) {
    report_unheld(static_cast<TaskState&>(*this));
  }
}

bool cancel_future(ResultState& future, std::string_view message) noexcept {
  future.set(ResultState::seen);
  if (future.is_done()) return false;
  if (!message.empty()) {
    try {
      future.error = std::make_exception_ptr(CancelledError(message));
    } catch (...) {
    }
  }
  future.set(ResultState::cancelled);
  set_done(future);
  return true;
}

void require_settable(const ResultState& future) {
  loop_of(*future.loop).check_open("Future::set_result");
  loop_of(*future.loop).check_thread("Future::set_result");
  if (future.is_done()) {
    throw InvalidStateError(future.is_cancelled()
                                ? "Future::set_result: the future was cancelled"
                                : "Future::set_result: the future is done already");
  }
}

void set_done(ResultState& future) noexcept {
  future.set(ResultState::done);
  // Those who are woken may let go of the last handle.
  if (!future.waiters) return;
  ++future.references;
  future.wake_all();
  --future.references;
}

void set_failed(ResultState& future, std::exception_ptr error) {
  if (!error) throw std::invalid_argument("Future::set_exception: the exception_ptr is null");
  future.base_chain = chain_length(error);
  future.error = std::move(error);
  set_done(future);
}

// ---- waiting

void ResultWait::refuse() const {
  if (&state_ == thread_state.task) {
    throw RuntimeError("co_await: a task cannot await itself");
  }
  throw RuntimeError("co_await: this task or future belongs to another loop; use "
                     "run_coroutine_threadsafe() to reach it");
}

Raised ResultWait::error() {
  if (state_.is(ResultState::taken)) throw_result_taken();
  std::exception_ptr why = state_.take_failure();
  if (task) {
    auto& frame = PromiseBase::promise_of(task->resume_at);
    chain_append(why, frame.standing.place(), &frame);
  }
  return give_up(std::move(why));
}

bool ResultWait::cancel(CancelRequest& request) noexcept {
  if (request.add(state_)) return true;
  leave();
  return false;
}

TaskState* ResultWait::awaited() const noexcept {
  return state_.kind == ReadyNode::Kind::task ? static_cast<TaskState*>(&state_) : nullptr;
}

void ResultWait::leave() noexcept { state_.remove_waiter(*this); }
void ResultWait::completed() noexcept { make_ready(*task); }

bool DetachedWait::cancel(CancelRequest&) noexcept {
  leave();
  return false;
}

// ---- errors on their way up

void PromiseBase::unhandled_exception() noexcept {
  std::exception_ptr error = std::current_exception();
  if (!error) {  // thrown by another language: nobody else can hold it
    error = std::make_exception_ptr(RuntimeError("a coroutine ended by an exception that is not "
                                                 "of C++"));
  }
  chain_append(error, standing.place_or_function(), this);
  standing.fail(std::move(error));
}

Raised raised_in(PromiseBase& awaiting, std::exception_ptr error) noexcept {
  chain_append(error, awaiting.standing.place(), &awaiting);
  return give_up(std::move(error));
}

Raised error_of_child(PromiseBase& child) noexcept {
  const Raised error = raised_in(*child.parent, child.standing.take_error());
  destroy_failed(child);
  return error;
}

void Standing::drop_error() noexcept { take_error(); }

// ---- handles and callbacks

void throw_empty_handle() {
  throw InvalidStateError("this handle is empty: it was default-constructed or moved from");
}
void throw_result_taken() {
  throw InvalidStateError("the result was taken");
}

std::exception_ptr ResultHandle::exception() const {
  ResultState& self = state();
  if (!self.is_done()) {
    throw InvalidStateError("exception: it is not done yet; co_await it, or ask done() first");
  }
  self.set(ResultState::seen);
  if (self.is_cancelled()) self.require_value();
  return self.error;
}

EventLoop& ResultHandle::get_loop() const {
  Loop& loop = loop_of(*state().loop);
  if (loop.gone) throw RuntimeError("get_loop: the loop does not exist any more");
  return loop.facade;
}

void DoneCallback::completed() noexcept { loop->ready.push(*this); }

void HandleCallback::completed() noexcept {
  subject->retain();
  holds = true;
  DoneCallback::completed();
}

CallbackId add_done_callback(ResultState& state, DoneCallback& callback) {
  static thread_local std::uint64_t last = 0;
  callback.id = CallbackId{++last};
  callback.context = copy_current();
  if (state.is_done()) callback.completed();
  else state.add_waiter(callback);
  return callback.id;
}

std::size_t remove_done_callback(ResultState& state, CallbackId id) noexcept {
  RingNode* at = state.waiters;
  if (!at) return 0;
  do {
    DoneCallback* const callback = static_cast<Completion*>(at)->as_callback();
    if (callback && callback->id == id) {
      state.remove_waiter(*callback);
      callback->drop_callable();
      callback->release();
      return 1;
    }
    at = at->following;
  } while (at != state.waiters);
  return 0;
}

bool outcome_is_cancelled(const std::exception_ptr& error) noexcept {
  return is_cancellation(error);
}

}  // namespace asyncio::inline v0::detail
