// What a task's end becomes for other threads: the state behind a ThreadsafeFuture.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/core/callback.hpp>
#include <asyncio/detail/core/handle.hpp>
#include <asyncio/detail/core/result_wait.hpp>

#include <cstdint>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

class Gate;
class SafeState;

/// A done callback, in the line of a SafeState.
struct SafeCallback {
  SafeCallback* next = nullptr;

  SafeCallback() = default;
  SafeCallback(const SafeCallback&) = delete;
  SafeCallback& operator=(const SafeCallback&) = delete;
  virtual ~SafeCallback() = default;

  virtual void call(SafeState& state) = 0;
};

/// Counted by the handles and, until the task has ended, by the loop's side.
///
///     status    | who ends it, and how
///     pending   | the loop's thread -> setting; any thread -> cancelled
///     setting   | the loop's thread -> value or failed, once they are written
///     value, failed, cancelled: for good
///
/// It is also the callback that takes a cancellation to the loop: posted by whoever made it
/// cancelled, so at most once. `task` is the loop's thread's alone.
class ASYNCIO_API SafeState : public PostedCallback {
 public:
  explicit SafeState(EventLoop& where);
  ~SafeState() override;

  bool done() const noexcept { return status() >= Status::value; }
  bool cancelled() const noexcept { return status() == Status::cancelled; }

  /// Throws:  RuntimeError in the loop's own thread, where it would wait for itself.
  void wait();
  /// False if the time went by first.
  bool wait_for(Ticks limit);
  /// wait(), then throws what it ended with, unless that is a value.
  void require_value();

  /// False if it is done already.
  bool cancel() noexcept;
  /// Takes it over; calls it at once if this is done.
  void add_callback(SafeCallback* callback) noexcept;

  // ---- for the loop's thread

  /// Ends it as its task has ended, or with an error if it has not or never began.
  virtual void settle() noexcept = 0;
  /// Whether an error that nobody asks for is to be reported when this goes.
  enum class Report : bool { not_owed, owed };
  /// False if it is done already.
  bool fail(std::exception_ptr error, Report report = Report::not_owed) noexcept;
  void keep_task(TaskState& task) noexcept;

  /// Cancels the task.
  void call() override;
  void drop_callable() noexcept override {}

 protected:
  enum class Status : std::uint32_t { pending, setting, value, failed, cancelled };

  Status status() const noexcept {
    return static_cast<Status>(__atomic_load_n(&status_, __ATOMIC_ACQUIRE));
  }
  /// True for the one who may write the result, and then owes a publish().
  bool begin_setting() noexcept;
  void publish(Status status) noexcept;
  /// True if the task has a value; else this is ended with what it has.
  bool task_has_value() noexcept;
  void drop_task() noexcept;

  TaskState* task_ = nullptr;  // counted
  std::exception_ptr error_;
  bool owes_report_ = false;  // written by who sets the error; then cleared by who asks for it

 private:
  bool sleep(Ticks limit) noexcept;
  void call_callbacks() noexcept;

  // Read and written through std::atomic_ref, whose header is heavy.
  std::uint32_t status_ = 0;
  std::uint32_t sleepers_ = 0;
  SafeCallback* callbacks_ = nullptr;  // newest first; a marker once they were called
  Gate& gate_;                         // counted
};

template <class T>
class SafeStateOf final : public SafeState {
 public:
  using SafeState::SafeState;

  void settle() noexcept override {
    if (task_has_value() && begin_setting()) {
      try {
        if constexpr (std::is_void_v<T>) result_.emplace();
        else result_.emplace(take_result<T>(static_cast<TaskOf<T>&>(*task_), 1));
        publish(Status::value);
      } catch (...) {
        error_ = std::current_exception();
        owes_report_ = true;
        publish(Status::failed);
      }
    }
    drop_task();
  }

  /// A copy of the value; one that cannot be copied is moved out, once.
  T get() {
    require_value();
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T> || std::is_copy_constructible_v<T>) {
      return result_.get();
    } else {
      if (__atomic_exchange_n(&taken_, true, __ATOMIC_SEQ_CST)) throw_result_taken();
      return result_.take();
    }
  }

 private:
  Result<T> result_;
  bool taken_ = false;
};

/// The loop's side's count. Settles the state when it goes, however that comes about.
template <class T>
class SafeLink {
 public:
  explicit SafeLink(SafeStateOf<T>& state) noexcept : state_(&state) { state.retain(); }
  SafeLink(SafeLink&& other) noexcept : state_(taken(other.state_)) {}
  SafeLink& operator=(SafeLink&&) = delete;
  ~SafeLink() {
    if (!state_) return;
    state_->settle();
    state_->release();
  }
  SafeStateOf<T>* operator->() const noexcept { return state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// As the task's done callback, which has nothing to do but to go.
  void operator()() const noexcept {}

 private:
  SafeStateOf<T>* state_;
};

/// The link goes when the task has ended, or with the loop.
template <class T>
void settle_when_done(TaskState& task, SafeLink<T>&& link) {
  auto* const callback = new Callback<DoneCallback, SafeLink<T>>(*task.loop, std::move(link));
  add_done_callback(task, *callback);
}

}  // namespace asyncio::inline v0::detail
