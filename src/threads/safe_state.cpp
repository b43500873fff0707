// A task's end, told to other threads; and their cancellation, told to the task.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "base/futex.hpp"
#include "core/loop.hpp"
#include "core/report.hpp"
#include "threads/handover.hpp"
#include "threads/pool.hpp"

#include <atomic>
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
    report_anywhere(state.loop, "Exception in done callback of a ThreadsafeFuture",
                    std::current_exception());
  }
}

}  // namespace

SafeState::SafeState(EventLoop& where)
    : PostedCallback(LoopAccess::loop(where)), gate_(LoopAccess::loop(where).gate) {
  gate_.retain();
}

SafeState::~SafeState() {
  if (owes_report_) {
    report_anywhere(loop, "ThreadsafeFuture exception was never retrieved", std::move(error_));
  }
  gate_.release();
}

// ---- waiting

bool SafeState::sleep(Ticks limit) noexcept {
  const auto start = std::chrono::steady_clock::now();
  const auto has_ended = [](std::uint32_t seen) {
    return static_cast<Status>(seen) >= Status::value;
  };
  std::atomic_ref status(status_);
  std::atomic_ref sleepers(sleepers_);
  return sleep_until(status, sleepers, has_ended, [&](std::uint32_t seen) {
    Ticks left = -1;
    if (limit != never) {
      left = limit - std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
      if (left <= 0) return false;
    }
    futex_wait(status_, seen, left);
    return true;
  });
}

void SafeState::wait() { wait_for(never); }

namespace {

// A worker that waits for a loop, whose calls may need a worker [K3].
class WorkerWait {
 public:
  explicit WorkerWait(Gate& gate) noexcept : pool_(Pool::of_this_thread()) {
    if (!pool_ || !pool_->enter_wait()) return;
    try {
      auto* const said = new Said;
      if (!gate.post(*said)) said->release();
    } catch (const std::bad_alloc&) {
    }
  }
  WorkerWait(const WorkerWait&) = delete;
  WorkerWait& operator=(const WorkerWait&) = delete;
  ~WorkerWait() {
    if (pool_) pool_->leave_wait();
  }

 private:
  // In the loop's thread, whose exception handler it is.
  struct Said final : PostedCallback {
    void call() override { report_exhausted(*thread_state.loop); }
    void drop_callable() noexcept override {}
  };

  Pool* const pool_;
};

}  // namespace

bool SafeState::wait_for(Ticks limit) {
  if (done()) return true;
  if (thread_state.loop == loop) {
    throw RuntimeError("ThreadsafeFuture: this thread runs the loop that the result comes from and "
                       "would wait for itself; co_await the coroutine instead");
  }
  const WorkerWait wait(gate_);
  return sleep(limit);
}

void SafeState::require_value() {
  wait();
  __atomic_store_n(&owes_report_, false, __ATOMIC_RELAXED);
  if (status() == Status::cancelled && !error_) throw CancelledError();
  if (error_) std::rethrow_exception(error_);
}

// ---- the end

bool SafeState::begin_setting() noexcept {
  std::atomic_ref status(status_);
  return decide(status, static_cast<std::uint32_t>(Status::pending),
                static_cast<std::uint32_t>(Status::setting));
}

void SafeState::publish(Status last) noexcept {
  std::atomic_ref status(status_);
  std::atomic_ref sleepers(sleepers_);
  end_word(status, sleepers, static_cast<std::uint32_t>(last),
           [this](auto&) { futex_wake_all(status_); });
  call_callbacks();
}

bool SafeState::fail(std::exception_ptr error, Report report) noexcept {
  if (!begin_setting()) return false;
  const bool cancelled = outcome_is_cancelled(error);
  owes_report_ = report == Report::owed && !cancelled;
  error_ = std::move(error);
  publish(cancelled ? Status::cancelled : Status::failed);
  return true;
}

bool SafeState::task_has_value() noexcept {
  if (task_ && task_->is_done()) {
    try {
      std::exception_ptr error = task_->failure();
      if (!error) return true;
      // The duty to report it goes with it; if this was cancelled, it stays with the task.
      if (fail(std::move(error), Report::owed)) task_->set(ResultState::seen);
    } catch (...) {
      fail(std::current_exception(), Report::owed);
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
  if (!begin_setting()) return false;
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
  std::atomic_ref callbacks(callbacks_);
  if (!push_if_open(callbacks, *callback, all_called)) call_one(callback, *this);
}

void SafeState::call_callbacks() noexcept {
  std::atomic_ref callbacks(callbacks_);
  SafeCallback* oldest = close_stack(callbacks, static_cast<SafeCallback&>(all_called));
  while (oldest) {
    SafeCallback* const newer = oldest->next;
    call_one(oldest, *this);
    oldest = newer;
  }
}

}  // namespace asyncio::inline v0::detail
