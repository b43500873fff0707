// Task<T>, AnyTask, create_task: coroutines that run beside each other.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/detail/core/frame_entry.hpp>
#include <asyncio/detail/core/handle.hpp>
#include <asyncio/detail/core/result_wait.hpp>
#include <asyncio/detail/core/spawn.hpp>
#include <asyncio/exceptions.hpp>
#include <asyncio/outcome.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::inline v0 {

template <class T>
class Task;

namespace detail {

template <class T>
constexpr bool is_task = false;
template <class T>
constexpr bool is_task<Task<T>> = true;

template <class A>
struct TaskValueOf {
  using type = std::remove_cvref_t<AwaitResult<A>>;
};
template <class T>
struct TaskValueOf<Coro<T>> {
  using type = T;
};
template <class T>
struct TaskValueOf<Task<T>> {
  using type = T;
};
/// The T of the Task that an A becomes.
template <class A>
using TaskValue = typename TaskValueOf<A>::type;

/// Any awaitable as a Coro; a Coro as it is.
template <class T>
Coro<T> as_coro(Coro<T> coro) noexcept {
  return coro;
}
template <awaitable A>
  requires(!is_coro<A>)
Coro<TaskValue<A>> as_coro(A awaitable) {
  co_return co_await std::move(awaitable);
}

/// Keeps a callable and its arguments alive while the coroutine it returns runs.
template <class F, class... Args>
auto call_kept(F callable, Args... args) -> std::invoke_result_t<F&, Args&...> {
  co_return co_await callable(args...);
}

/// How a done state ended; the value is copied, or moved out where it cannot be.
template <class T, class State>
Outcome<T> outcome_of(State& state) {
  state.set(ResultState::seen);
  if (state.is(ResultState::taken)) throw_result_taken();
  if (std::exception_ptr error = state.failure()) return Outcome<T>(std::move(error));
  if constexpr (std::is_void_v<T>) return Outcome<T>();
  else if constexpr (std::is_reference_v<T>)
    return Outcome<T>(__builtin_addressof(state.result.get()));
  else if constexpr (std::is_copy_constructible_v<T>) return Outcome<T>(state.result.get());
  else return Outcome<T>(take_result<T>(state, 1));
}

/// `co_await task.join()`.
template <class T>
class [[nodiscard]] JoinAwaiter : public DetachedWait {
 public:
  using DetachedWait::DetachedWait;
  ASYNCIO_INLINE Outcome<T> await_resume() {
    check_cancel();
    return outcome_of<T>(static_cast<TaskOf<T>&>(state_));
  }
};

/// How a state of any type ended. A template, so that only who asks compiles an Outcome<>.
template <class Ended>
Ended outcome_of_any(ResultState& state) {
  state.set(ResultState::seen);
  std::exception_ptr error = state.failure();
  return error ? Ended(std::move(error)) : Ended();
}

/// `co_await any_task.join()`.
template <class Ended>
class [[nodiscard]] AnyJoinAwaiter : public DetachedWait {
 public:
  using DetachedWait::DetachedWait;
  ASYNCIO_INLINE Ended await_resume() {
    check_cancel();
    return outcome_of_any<Ended>(state_);
  }
};

/// What join() gives: it keeps the task, and waits as a Waiter once it is awaited.
template <class Waiter>
class [[nodiscard("asyncio: this does not wait: co_await it")]] Join : private ResultHandle {
 public:
  explicit Join(ResultState& state) noexcept : ResultHandle(state) {}
  auto operator co_await() && { return Waiter(ResultWait::Adopt{}, release_state()); }
};

/// What Task<T> and AnyTask share.
class ASYNCIO_API TaskHandle : public ResultHandle {
 public:
  TaskHandle() noexcept = default;

  /// Asks the task to end: CancelledError comes out of the await it stands at, or of its next
  /// one. Goes first to what the task awaits [R14]. False if the task is done already [R13].
  /// The message comes with the CancelledError [R24].
  /// Throws:  RuntimeError from another thread than the loop's, in debug mode.
  bool cancel(std::string_view message = {}) const;
  /// Requests that were made and not taken back.
  int cancelling() const { return static_cast<int>(task().requests); }
  /// Takes one request back and returns how many are left; who caught a cancellation that it had
  /// asked for itself owes this [R22].
  int uncancel() const { return task().uncancel(); }

  /// "Task-7" unless it was given one.
  std::string get_name() const;
  void set_name(std::string_view name) const;
  Context get_context() const;
  /// Unique among all tasks of its loop.
  std::uint64_t get_id() const;

  /// The coroutines that the task is in, outermost first, each with the place of its co_await.
  std::vector<FrameEntry> get_stack() const;
  void print_stack() const;
  void print_stack(std::ostream& out) const;

  /// Lets the task run on without a handle; its error, if any, goes to the exception handler at
  /// once when it ends.
  void detach() &&;

 protected:
  friend HandleAccess;
  using ResultHandle::ResultHandle;
  TaskState& task() const { return static_cast<TaskState&>(state()); }
};

}  // namespace detail

/// A coroutine that runs on its own, beside the one that made it; a handle that can be copied.
///
///     auto task = asyncio::create_task(fetch("a"));
///     ...                                   // both go on
///     const Page& page = co_await task;     // the result stays in the task
///     Page mine = co_await std::move(task);  // moved out, if this was the last handle
///
/// The loop keeps a running task alive; dropping the last handle ends nothing. A task that fails
/// and whose error nobody has asked for is reported when its last handle goes [R80].
///
/// Cancel:  cancelling who awaits a task cancels the task, and with it all who await it [R23];
///          shield(task) and task.join() only stop waiting.
/// Python:  asyncio.Task.
template <class T = void>
class Task : public detail::TaskHandle {
 public:
  Task() noexcept = default;

  /// Throws:  InvalidStateError while pending; what it failed with; CancelledError.
  decltype(auto) result() const& {
    state().require_value();
    if constexpr (std::is_reference_v<T>) return static_cast<T>(own().result.get());
    else if constexpr (!std::is_void_v<T>) return static_cast<const T&>(own().result.get());
  }
  T result() && {
    state().require_value();
    return detail::take_result<T>(own(), 1);
  }
  /// Throws:  InvalidStateError while pending.
  Outcome<T> outcome() const {
    if (!done()) state().require_value();
    return detail::outcome_of<T>(own());
  }

  /// Calls `callable(Task<T>)` on the turn after it is done [R12].
  template <class F>
  CallbackId add_done_callback(F callable) const {
    return detail::add_done_callback_to<Task>(state(), std::move(callable));
  }

  /// Waits without touching the task: gives its Outcome, and leaves it running when cancelled.
  auto join() const { return detail::Join<detail::JoinAwaiter<T>>(state()); }

  /// Gives a reference to the result.
  detail::ResultAwaiter<detail::TaskOf<T>, T> operator co_await() const& {
    return detail::ResultAwaiter<detail::TaskOf<T>, T>(state());
  }
  /// Moves the result out if this is the last handle or it cannot be copied, else copies it.
  detail::TakingAwaiter<detail::TaskOf<T>, T> operator co_await() && {
    return detail::TakingAwaiter<detail::TaskOf<T>, T>(detail::ResultWait::Adopt{},
                                                       release_state());
  }

  /// A task ends by what its coroutine returns or throws: use a Future<T> for a result that is set.
  template <class... Args>
  void set_result(Args&&...) const {
    static_assert(sizeof...(Args) > 1000,
                  "asyncio: a Task's result is what its coroutine returns; for one that is set "
                  "from outside use a Future<T>");
  }
  template <class... Args>
  void set_exception(Args&&...) const {
    static_assert(sizeof...(Args) > 1000,
                  "asyncio: a Task's error is what its coroutine throws; for one that is set from "
                  "outside use a Future<T>");
  }

 private:
  friend detail::HandleAccess;
  using TaskHandle::TaskHandle;
  detail::TaskOf<T>& own() const { return static_cast<detail::TaskOf<T>&>(state()); }
};

/// A Task of any type: everything but its result. Awaiting it gives nothing, or throws its error.
class ASYNCIO_API AnyTask : public detail::TaskHandle {
 public:
  AnyTask() noexcept = default;
  template <class T>
  AnyTask(const Task<T>& task) noexcept : TaskHandle(task) {}  // NOLINT: converting on purpose
  template <class T>
  AnyTask(Task<T>&& task) noexcept : TaskHandle(std::move(task)) {}  // NOLINT

  /// The Task<T> it is; an empty one if it has another type.
  template <class T>
  Task<T> get_if() const {
    detail::ResultState& self = state();
    if (self.ops != &detail::TaskOf<T>::operations) return Task<T>();
    return detail::HandleAccess::retain<Task<T>>(self);
  }

  template <class F>
  CallbackId add_done_callback(F callable) const {
    return detail::add_done_callback_to<AnyTask>(state(), std::move(callable));
  }

  class [[nodiscard]] Awaiter : public detail::ResultWait {
   public:
    using ResultWait::ResultWait;
    ASYNCIO_INLINE void await_resume() { check(); }
  };
  Awaiter operator co_await() const { return Awaiter(state()); }

  /// Waits as Task<T>::join() does; gives an Outcome<>.
  auto join() const { return detail::Join<detail::AnyJoinAwaiter<Outcome<>>>(state()); }

 private:
  friend detail::HandleAccess;
  using TaskHandle::TaskHandle;
};

/// Runs an awaitable as a task of the running loop. Its first step is on the next turn [R10].
///
/// Throws:  RuntimeError without a running loop.
/// Python:  asyncio.create_task.
template <awaitable A>
[[nodiscard("asyncio: keep this task and await it, or detach() it")]]
auto create_task(A awaitable) {
  using T = detail::TaskValue<A>;
  detail::LoopBase& loop = detail::require_loop();
  Coro<T> coro = detail::as_coro(std::move(awaitable));
  detail::FrameHandle& frame = detail::CoroAccess::frame(coro);
  auto& task = *new detail::TaskOf<T>(loop);
  detail::spawn(task, frame);
  return detail::HandleAccess::adopt<Task<T>>(task);
}
template <awaitable A>
[[nodiscard("asyncio: keep this task and await it, or detach() it")]]
auto create_task(A awaitable, const TaskOptions& options) {
  using T = detail::TaskValue<A>;
  detail::LoopBase& loop = detail::require_loop();
  Coro<T> coro = detail::as_coro(std::move(awaitable));
  detail::FrameHandle& frame = detail::CoroAccess::frame(coro);
  auto& task = *new detail::TaskOf<T>(loop);
  detail::spawn(task, frame, options);
  return detail::HandleAccess::adopt<Task<T>>(task);
}

/// Keeps a callable and what it captured alive while its coroutine runs.
///
///     auto task = asyncio::create_task([name]() -> asyncio::Coro<> { ... use(name) ... });
///
/// Calling the lambda instead, `create_task([name]() -> asyncio::Coro<> {...}())`, would leave the
/// coroutine with captures that are gone.
template <class F, class... Args>
  requires(!awaitable<F>)
[[nodiscard("asyncio: keep this task and await it, or detach() it")]]
auto create_task(F callable, const TaskOptions& options, Args... args) {
  static_assert(coroutine_function<F&, Args&...>,
                "asyncio: create_task takes a coroutine, or a callable that returns one: write "
                "[...]() -> asyncio::Coro<T> { ... }, with a parameter for each argument");
  return create_task(detail::call_kept<F, Args...>(std::move(callable), std::move(args)...),
                     options);
}
template <class F>
  requires(!awaitable<F>)
[[nodiscard("asyncio: keep this task and await it, or detach() it")]]
auto create_task(F callable) {
  return create_task(std::move(callable), TaskOptions{});
}

/// A Task as it is; anything else as create_task() makes it.
/// Python:  asyncio.ensure_future.
template <awaitable A>
[[nodiscard]] auto ensure_future(A awaitable) {
  if constexpr (detail::is_task<A>) return awaitable;
  else return create_task(std::move(awaitable));
}

/// The task whose code runs now; empty in a callback and outside of a loop.
ASYNCIO_API std::optional<AnyTask> current_task();

/// All tasks of the running loop that have not ended, oldest first.
ASYNCIO_API std::vector<AnyTask> all_tasks();

}  // namespace asyncio::inline v0

template <class T>
struct std::hash<asyncio::Task<T>> {
  std::size_t operator()(const asyncio::Task<T>& task) const noexcept {
    return std::hash<const void*>()(asyncio::detail::HandleAccess::get(task));
  }
};
template <>
struct std::hash<asyncio::AnyTask> {
  std::size_t operator()(const asyncio::AnyTask& task) const noexcept {
    return std::hash<const void*>()(asyncio::detail::HandleAccess::get(task));
  }
};
