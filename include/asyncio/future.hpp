// Future<T>: a result that somebody will set, and many may await.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/detail/core/handle.hpp>
#include <asyncio/detail/core/result_wait.hpp>
#include <asyncio/exceptions.hpp>

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {
/// Throws:  InvalidStateError if it is done; RuntimeError from a wrong thread in debug mode.
ASYNCIO_API void require_settable(const ResultState& future);
ASYNCIO_API void set_done(ResultState& future) noexcept;
ASYNCIO_API void set_failed(ResultState& future, std::exception_ptr error);
}  // namespace detail

/// The low-level promise that callbacks are turned into coroutines with.
///
///     auto future = asyncio::get_running_loop().create_future<int>();
///     library_call([future](int n) mutable { future.set_result(n); });
///     int n = co_await future;
///
/// Awaiting it gives a reference to the result, as often as wanted. set_result() wakes nobody at
/// once: whoever waits runs on the next turn of the loop [R12].
///
/// Cancel:  cancelling one awaiter cancels the future for all; shield(future) does not [R23].
/// Thread:  one loop's; from other threads, set it in a call_soon_threadsafe().
/// Python:  asyncio.Future.
template <class T = void>
class Future : public detail::ResultHandle {
 public:
  Future() noexcept = default;

  /// Throws:  InvalidStateError if it is done already.
  template <class U = T>
    requires(!std::is_void_v<T> && std::is_constructible_v<T, U>)
  void set_result(U&& value) const {
    detail::require_settable(state());
    own().result.emplace(std::forward<U>(value));
    detail::set_done(state());
  }
  void set_result() const
    requires std::is_void_v<T>
  {
    detail::require_settable(state());
    detail::set_done(state());
  }
  /// Throws:  InvalidStateError if it is done already; std::invalid_argument for a null pointer.
  void set_exception(std::exception_ptr error) const {
    detail::require_settable(state());
    detail::set_failed(state(), std::move(error));
  }
  template <class E>
    requires(!std::is_same_v<std::remove_cvref_t<E>, std::exception_ptr>)
  void set_exception(E&& error) const {
    set_exception(std::make_exception_ptr(std::forward<E>(error)));
  }
  /// False if it is done already.
  bool cancel(std::string_view message = {}) const {
    return detail::cancel_future(state(), message);
  }

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

  /// Calls `callable(Future<T>)` on the turn after it is done [R12].
  template <class F>
  CallbackId add_done_callback(F callable) const {
    return detail::add_done_callback_to<Future>(state(), std::move(callable));
  }

  detail::ResultAwaiter<detail::FutureOf<T>, T> operator co_await() const& {
    return detail::ResultAwaiter<detail::FutureOf<T>, T>(state());
  }
  detail::TakingAwaiter<detail::FutureOf<T>, T> operator co_await() && {
    return detail::TakingAwaiter<detail::FutureOf<T>, T>(detail::ResultWait::Adopt{},
                                                         release_state());
  }

 private:
  friend detail::HandleAccess;
  using ResultHandle::ResultHandle;
  detail::FutureOf<T>& own() const { return static_cast<detail::FutureOf<T>&>(state()); }
};

}  // namespace asyncio::inline v0
