// A task's end, told to other threads; and their cancellation, told to the task.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "base/futex.hpp"
#include "core/loop.hpp"
#include "core/report.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace asyncio::inline v0::detail {
namespace {

// In the place of the list, once its callbacks were called.
struct Marker final : SafeCallback {
  void call(SafeState&) override {}
} all_called;

void call_one(SafeCallback* callback, SafeState& state) noexcept {
  const std::unique_ptr<SafeCallback> owner(callback);
  try {
    callback->call(state);
  } catch (...) {
    try {
      ExceptionContext context;
      context.message = "Exception in done callback of a ThreadsafeFuture";
      context.exception = std::current_exception();
      // The loop's handler is the loop's thread's.
      if (thread_state.loop == state.loop) report(loop_of(*state.loop), context);
      else report_by_default(context);
    } catch (...) {
    }
  }
}

}  // namespace

SafeState::SafeState(EventLoop& where)
    : PostedCallback(LoopAccess::loop(where)), gate_(LoopAccess::loop(where).gate) {
  gate_.retain();
}

SafeState::~SafeState() { gate_.release(); }

// ---- waiting

bool SafeState::sleep(Ticks limit) noexcept {
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    const std::uint32_t seen = status_.load(std::memory_order_seq_cst);
    if (static_cast<Status>(seen) >= Status::value) return true;
    Ticks left = -1;
    if (limit != never) {
      left = limit - std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
      if (left <= 0) return false;
    }
    futex_wait(status_, seen, left);
  }
}

void SafeState::wait() { wait_for(never); }

bool SafeState::wait_for(Ticks limit) {
  if (done()) return true;
  if (thread_state.loop == loop) {
    throw RuntimeError("ThreadsafeFuture: this thread runs the loop that the result comes from and "
                       "would wait for itself; co_await the coroutine instead");
  }
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  const bool done_now = sleep(limit);
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
  return done_now;
}

void SafeState::require_value() {
  wait();
  if (status() == Status::cancelled && !error_) throw CancelledError();
  if (error_) std::rethrow_exception(error_);
}

// ---- the end

bool SafeState::begin_setting() noexcept {
  std::uint32_t pending = 0;
  return status_.compare_exchange_strong(pending, static_cast<std::uint32_t>(Status::setting),
                                         std::memory_order_acq_rel);
}

void SafeState::publish(Status status) noexcept {
  status_.store(static_cast<std::uint32_t>(status), std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) > 0) futex_wake_all(status_);
  call_callbacks();
}

void SafeState::fail(std::exception_ptr error) noexcept {
  if (!begin_setting()) return;
  error_ = std::move(error);
  publish(outcome_is_cancelled(error_) ? Status::cancelled : Status::failed);
}

bool SafeState::task_has_value() noexcept {
  if (task_ && task_->is_done()) {
    task_->set(ResultState::seen);
    try {
      std::exception_ptr error = task_->failure();
      if (!error) return true;
      fail(std::move(error));
    } catch (...) {
      fail(std::current_exception());
    }
  } else if (!done()) {
    fail(std::make_exception_ptr(
        RuntimeError("run_coroutine_threadsafe: the loop was closed before the task was done")));
  }
  return false;
}

void SafeState::keep_task(TaskState& task) noexcept {
  task.retain();
  task_ = &task;
}

void SafeState::drop_task() noexcept {
  if (TaskState* const task = std::exchange(task_, nullptr)) task->release();
}

// ---- the cancellation

bool SafeState::cancel() noexcept {
  std::uint32_t pending = 0;
  if (!status_.compare_exchange_strong(pending, static_cast<std::uint32_t>(Status::setting),
                                       std::memory_order_acq_rel)) {
    return false;
  }
  publish(Status::cancelled);
  retain();
  if (!gate_.post(*this)) release();
  return true;
}

void SafeState::call() {
  if (task_) cancel_task(*task_, {});
}

// ---- callbacks

void SafeState::add_callback(SafeCallback* callback) noexcept {
  SafeCallback* top = callbacks_.load(std::memory_order_acquire);
  do {
    if (top == &all_called) return call_one(callback, *this);
    callback->next = top;
  } while (!callbacks_.compare_exchange_weak(top, callback, std::memory_order_acq_rel,
                                             std::memory_order_acquire));
}

void SafeState::call_callbacks() noexcept {
  SafeCallback* newest = callbacks_.exchange(&all_called, std::memory_order_acq_rel);
  SafeCallback* oldest = nullptr;
  while (newest) {
    SafeCallback* const older = newest->next;
    newest->next = std::exchange(oldest, newest);
    newest = older;
  }
  while (oldest) {
    SafeCallback* const newer = oldest->next;
    call_one(oldest, *this);
    oldest = newer;
  }
}

}  // namespace asyncio::inline v0::detail
