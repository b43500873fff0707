// The way to a thread and back: submit, run, home, or nobody waits any more.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "core/context.hpp"
#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/traceback.hpp"
#include "threads/call_name.hpp"
#include "threads/handover.hpp"
#include "threads/pool.hpp"

#include <atomic>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::inline v0::detail {

// ---- there

ThreadJob::~ThreadJob() {
  if (!error || is_cancellation(error)) return;
  std::string_view message = "Exception of a call in a thread was never retrieved";
  std::string with_name;
  try {
    with_name = std::string(message) + ":" + in_words(name);
    message = with_name;
  } catch (const std::bad_alloc&) {
    // A report that misses the name is better than an error that is lost.
  }
  report_anywhere(loop, message, error);
}

void ThreadJob::set_out(LoopBase& where) noexcept {
  loop = &where;
  gate_ = &loop_of(where).gate;
  gate_->count_out();
  retain();
  // The pool's mutex publishes it.
  std::atomic_ref(stage_).store(Stage::queued, std::memory_order_relaxed);
}

void ThreadJob::stay() noexcept {
  std::atomic_ref(stage_).store(Stage::resting, std::memory_order_relaxed);
  gate_->count_home();
  release();
}

void ThreadJob::submit(LoopBase& where, Pool& pool) {
  set_out(where);
  try {
    if (pool.submit(*this)) [[unlikely]] report_exhausted(where);
  } catch (...) {
    stay();
    throw;
  }
}

void AwaitedJob::begin(LoopBase& where) {
  Pool& pool = pool_of(where, nullptr);
  context = copy_current();
  submit(where, pool);
}

bool ThreadJob::leave_line(Stage to) noexcept {
  std::atomic_ref stage(stage_);
  return decide(stage, Stage::queued, to);
}

bool ThreadJob::withdrawn() noexcept {
  return std::atomic_ref(stage_).load(std::memory_order_acquire) == Stage::withdrawn;
}

// ---- and back

void ThreadJob::run() noexcept {
  if (!leave_line(Stage::running)) {
    release();
    return;
  }
  thread_state.context = &context;
  try {
    invoke();
  } catch (...) {
    error = std::current_exception();
  }
  drop_callable();  // here, in the context of the call, and before anybody hears of its end
  thread_state.context = nullptr;
  Gate& gate = *gate_;
  if (!gate.bring_home(*this)) release();
}

void ThreadJob::discard() noexcept {
  if (leave_line(Stage::withdrawn)) {
    drop_callable();
    gate_->count_home();
  }
  release();
}

void ThreadJob::abandon() noexcept {
  if (leave_line(Stage::withdrawn)) {
    drop_callable();
    gate_->count_home();
  } else if (std::atomic_ref(stage_).load(std::memory_order_relaxed) == Stage::running) {
    ask_to_stop();
  }
}

// ---- waiting

void AwaitedJob::call() {
  if (waiter) make_ready(*std::exchange(waiter, nullptr)->task);
}

void ThreadWait::await_suspend(std::coroutine_handle<> frame) {
  TaskState& me = *thread_state.task;
  // A task that was cancelled before does not begin what it would not wait for.
  if (!me.is(ResultState::must_cancel)) [[likely]] {
    job_.name.awaited_at = PromiseBase::promise_of(frame).standing.place();
    job_.begin(*me.loop);
    job_.waiter = this;
  }
  stand(*this, frame);
}

bool ThreadWait::cancel(CancelRequest&) noexcept {
  leave();
  return false;
}

void ThreadWait::leave() noexcept {
  job_.waiter = nullptr;
  job_.abandon();
}

Raised ThreadWait::error() noexcept {
  auto& frame = PromiseBase::promise_of(task->resume_at);
  return raised_in(frame, std::move(job_.error));
}

void throw_empty_call() {
  throw RuntimeError("co_await: this call was moved from or awaited already; call to_thread() "
                     "again");
}

}  // namespace asyncio::inline v0::detail
