// Coro<T>: what a coroutine function returns.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/core/promise.hpp>
#include <asyncio/detail/core/task_state.hpp>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {
struct CoroAccess;
[[noreturn]] ASYNCIO_API void throw_empty_coro();
}  // namespace detail

/// What an `async def` is in Python: a function that returns Coro<T> may use co_await and gives
/// its T to whoever awaits it.
///
///     asyncio::Coro<int> answer() { co_await asyncio::sleep(1s); co_return 42; }
///     int n = co_await answer();
///
/// Nothing runs before it is awaited or given to create_task(). Parameters taken by reference must
/// outlive the coroutine; what is given to create_task() is better taken by value.
///
/// Throws:  RuntimeError when one that was moved from or already awaited is awaited.
/// Python:  a coroutine object; awaited once, as there.
template <class T = void>
class [[nodiscard("asyncio: this coroutine does not run: co_await it or give it to create_task()")]]
Coro {
 public:
  using promise_type = detail::Promise<T>;

  Coro(Coro&& other) noexcept : frame_(detail::taken(other.frame_)) {}
  Coro& operator=(Coro&& other) noexcept {
    detail::swap_plain(frame_, other.frame_);
    return *this;
  }
  ~Coro() {
    if (frame_) [[unlikely]] detail::destroy_unawaited(frame_);
  }

  ASYNCIO_INLINE detail::ChildAwaiter<T> operator co_await() && {
    if (!frame_) [[unlikely]] detail::throw_empty_coro();
    return detail::ChildAwaiter<T>(detail::taken(frame_));
  }

 private:
  friend detail::CoroAccess;
  friend promise_type;

  explicit Coro(detail::FrameHandle frame) noexcept : frame_(frame) {}

  detail::FrameHandle frame_;
};

/// What can stand behind co_await: a Coro, Task, AnyTask, Future, an operation of the library, or
/// a type whose `operator co_await() &&` returns one of these by value.
template <class A>
concept awaitable = detail::leads_to_awaiter<std::remove_cvref_t<A>>();

/// A callable that returns a Coro when called with Args.
template <class F, class... Args>
concept coroutine_function =
    std::is_invocable_v<F, Args...> && detail::is_coro<std::invoke_result_t<F, Args...>>;

namespace detail {

template <class T>
inline Coro<T> Promise<T>::get_return_object() noexcept {
  return Coro<T>(handle_of(*this));
}
template <class T>
inline Coro<T&> Promise<T&>::get_return_object() noexcept {
  return Coro<T&>(handle_of(*this));
}
inline Coro<void> Promise<void>::get_return_object() noexcept {
  return Coro<void>(handle_of(*this));
}

/// The library's way into a Coro.
struct CoroAccess {
  template <class T>
  static FrameHandle release(Coro<T>& coro) {
    if (!coro.frame_) [[unlikely]] throw_empty_coro();
    return taken(coro.frame_);
  }
  /// The frame, for who may take it over.
  template <class T>
  static FrameHandle& frame(Coro<T>& coro) {
    if (!coro.frame_) [[unlikely]] throw_empty_coro();
    return coro.frame_;
  }
  template <class T>
  static FrameHandle& frame_or_null(Coro<T>& coro) noexcept {
    return coro.frame_;
  }
};

/// co_await settle(coro): its end, without raising.
template <class T>
class [[nodiscard]] Settle {
 public:
  explicit Settle(Coro<T>&& coro) : frame_(CoroAccess::release(coro)) {}
  Settle(const Settle&) = delete;
  Settle& operator=(const Settle&) = delete;
  ~Settle() {
    if (frame_) frame_.destroy();
  }
  SettleAwaiter<T> operator co_await() && noexcept {
    return SettleAwaiter<T>(taken(frame_));
  }

 private:
  FrameHandle frame_;
};

template <class T>
Settle<T> settle(Coro<T>&& coro) {
  return Settle<T>(std::move(coro));
}

}  // namespace detail
}  // namespace asyncio::inline v0

#include <asyncio/generator.hpp>  // IWYU pragma: export
