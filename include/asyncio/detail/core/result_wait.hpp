// Waiting for a task or future to be done.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/cancel.hpp>
#include <asyncio/detail/core/task_state.hpp>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

template <class T>
struct TaskOf final : TaskState {
  [[no_unique_address]] Result<T> result;

  explicit TaskOf(LoopBase& where) noexcept : TaskState(operations, where) {}

  static void drop(ResultState& state) noexcept { static_cast<TaskOf&>(state).result.reset(); }
  static void keep(TaskState& state, PromiseBase& root) {
    if constexpr (!std::is_void_v<T>) {
      static_cast<TaskOf&>(state).result.emplace(static_cast<Promise<T>&>(root).result.take());
    }
  }
  static constexpr ResultOps operations{
      sizeof(TaskOf), std::is_trivially_destructible_v<Result<T>> ? nullptr : &drop,
      std::is_void_v<T> ? nullptr : &keep};
};

template <class T>
TaskState* make_task(LoopBase& loop) {
  return new TaskOf<T>(loop);
}

template <class T>
struct FutureOf final : ResultState {
  [[no_unique_address]] Result<T> result;

  explicit FutureOf(LoopBase& where) noexcept
      : ResultState(Kind::future, operations, where) {}

  static void drop(ResultState& state) noexcept { static_cast<FutureOf&>(state).result.reset(); }
  static constexpr ResultOps operations{
      sizeof(FutureOf), std::is_trivially_destructible_v<Result<T>> ? nullptr : &drop, nullptr};
};

/// Suspends until `state` is done. A cancellation of the waiter is passed on to it [R14, R23].
class ASYNCIO_API ResultWait : public Awaiter, public Completion {
 public:
  explicit ResultWait(ResultState& state) noexcept : state_(state) { state.retain(); }
  /// Takes over the reference of a handle that is given up.
  struct Adopt {};
  ResultWait(Adopt, ResultState& state) noexcept : state_(state) {}
  ~ResultWait() { state_.release(); }

  bool await_ready() const noexcept { return state_.is_done(); }
  void await_suspend(std::coroutine_handle<> frame) {
    if (unfit()) [[unlikely]] refuse();
    state_.add_waiter(*this);
    stand(*this, frame);
  }

  bool cancel(CancelRequest& request) noexcept override;
  void leave() noexcept override;
  TaskState* awaited() const noexcept override;
  void completed() noexcept override;

 protected:
  /// Raises a cancellation of the waiter [R18], then what `state` failed with.
  ASYNCIO_INLINE void check() {
    if (task && task->take_cancel()) [[unlikely]] raise_cancelled();
    if (state_.is(ResultState::cancelled | ResultState::taken) || state_.error) [[unlikely]] {
      asyncio_raise(error());
    }
  }
  ASYNCIO_INLINE void check_cancel() {
    if (task && task->take_cancel()) [[unlikely]] raise_cancelled();
  }

  ResultState& state_;

 private:
  bool unfit() const noexcept {
    return state_.loop != thread_state.loop || &state_ == thread_state.task;
  }
  [[noreturn]] void refuse() const;
  Raised error();
};

/// Waits like ResultWait, but a cancelled waiter only leaves: shield(), join(), wait().
class ASYNCIO_API DetachedWait : public ResultWait {
 public:
  using ResultWait::ResultWait;
  bool cancel(CancelRequest& request) noexcept override;
};

/// `co_await task`: the result stays where it is.
template <class State, class T>
class [[nodiscard]] ResultAwaiter : public ResultWait {
 public:
  using ResultWait::ResultWait;
  ASYNCIO_INLINE decltype(auto) await_resume() {
    check();
    if constexpr (std::is_reference_v<T>) return static_cast<T>(result().get());
    else if constexpr (!std::is_void_v<T>) return static_cast<const T&>(result().get());
  }

 private:
  auto& result() const noexcept { return static_cast<State&>(state_).result; }
};

/// Moves a result out if nobody else could still ask for it, or if it cannot be copied.
template <class T, class State>
T take_result(State& state, std::uint32_t own_references) {
  if constexpr (std::is_void_v<T>) {
    return;
  } else if constexpr (std::is_reference_v<T>) {
    return state.result.take();
  } else if constexpr (!std::is_copy_constructible_v<T>) {
    state.set(ResultState::taken);
    return state.result.take();
  } else {
    if (state.references > own_references) return state.result.get();
    state.set(ResultState::taken);
    return state.result.take();
  }
}

/// `co_await std::move(task)`.
template <class State, class T>
class [[nodiscard]] TakingAwaiter : public ResultWait {
 public:
  using ResultWait::ResultWait;
  ASYNCIO_INLINE T await_resume() {
    check();
    return take_result<T>(static_cast<State&>(state_), 1);
  }
};

}  // namespace asyncio::inline v0::detail
