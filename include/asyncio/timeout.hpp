// timeout, timeout_at, wait_for, move_on_after: so long, and no longer.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/combine/body.hpp>
#include <asyncio/detail/core/value_in_std.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/limit.hpp>
#include <asyncio/sleep.hpp>  // IWYU pragma: export
#include <asyncio/task.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {
struct Expiry;
struct TimeoutAccess;
}  // namespace detail

/// The time limit of a timeout() that is under way; its body may look at it and move it.
///
/// Python:  asyncio.Timeout.
class ASYNCIO_API Timeout : private detail::CallTimer {
 public:
  using time_point = EventLoop::Clock::time_point;

  Timeout() noexcept = default;

  /// Empty if there is no limit.
  std::optional<time_point> when() const noexcept;
  /// Another limit, or none.
  /// Throws:  RuntimeError once the limit has passed or the body has ended.
  void reschedule(detail::Deadline when);
  /// True once the limit has passed and the body was asked to end.
  bool expired() const noexcept { return state_ == State::expiring || state_ == State::expired; }

 protected:
  ~Timeout();

 private:
  friend detail::Expiry;
  friend detail::TimeoutAccess;
  enum class State : unsigned char { created, active, expiring, expired, ended };

  void fire() noexcept override;
  detail::Postponement postponement() const noexcept override { return {when_, order_}; }
  void expire() noexcept;
  void arm(detail::Ticks when);
  void disarm() noexcept;
  void enter(detail::Ticks when);
  bool leave(const std::exception_ptr& error) noexcept;

  detail::TaskState* task_ = nullptr;
  detail::Expiry* expiry_ = nullptr;  // in the ready queue
  detail::Ticks when_ = detail::never;
  std::uint32_t requests_on_entry_ = 0;
  std::uint32_t order_ = 0;  // while postponed
  State state_ = State::created;
};

namespace detail {

/// What the scopes do with a Timeout.
struct ASYNCIO_API TimeoutAccess : Timeout {
  explicit TimeoutAccess(Ticks when) { enter(when); }
  /// True if `error` is the cancellation that this limit asked for, and nobody else did [R39].
  bool cut(const std::exception_ptr& error) noexcept { return leave(error); }
  static std::uint32_t requests_of_caller() noexcept;
};

/// A TimeoutError with the traceback of the await that was cut.
ASYNCIO_API Raised timeout_error(std::exception_ptr cut);
[[noreturn]] ASYNCIO_INLINE void raise_timeout(std::exception_ptr cut) {
  asyncio_raise(timeout_error(std::move(cut)));
}

inline Ticks deadline_after(Limit limit) {
  return limit.has_value() ? later(loop_now(require_loop()), limit.ticks()) : never;
}
/// Reads the clock like deadline_after(), so that what has passed is known to have passed.
inline Ticks deadline_at(Deadline when) {
  if (when.ticks() != never) static_cast<void>(loop_now(require_loop()));
  return when.ticks();
}

template <class F, class... Args>
Coro<BodyValue<F, Timeout, Args...>> timeout_scope(Limit limit, F body, Args... args) {
  TimeoutAccess scope(deadline_after(limit));
  auto end = co_await settle(call_body<F, Timeout, Args...>(body, scope, args...));
  if (scope.cut(end.error())) raise_timeout(std::move(end.error()));
  end.raise();
  co_return end.take();
}

template <class F, class... Args>
Coro<BodyValue<F, Timeout, Args...>> timeout_at_scope(Deadline when, F body, Args... args) {
  TimeoutAccess scope(deadline_at(when));
  auto end = co_await settle(call_body<F, Timeout, Args...>(body, scope, args...));
  if (scope.cut(end.error())) raise_timeout(std::move(end.error()));
  end.raise();
  co_return end.take();
}

template <class T>
using OptionalOf =
    std::conditional_t<std::is_void_v<T>, bool, std::optional<ValueInStd<T>>>;

template <class F, class... Args>
Coro<OptionalOf<BodyValue<F, Timeout, Args...>>> move_on_scope(Limit limit, F body, Args... args) {
  using T = BodyValue<F, Timeout, Args...>;
  TimeoutAccess scope(deadline_after(limit));
  auto end = co_await settle(call_body<F, Timeout, Args...>(body, scope, args...));
  if (scope.cut(end.error())) co_return OptionalOf<T>();
  end.raise();
  if constexpr (std::is_void_v<T>) co_return true;
  else co_return OptionalOf<T>(end.take());
}

template <class T>
Coro<T> wait_for_coro(Coro<T> coro, Limit limit) {
  // Without time it does not even start [R35].
  if (limit.has_value() && limit.ticks() <= 0) throw TimeoutError();
  TimeoutAccess scope(deadline_after(limit));
  auto end = co_await settle(std::move(coro));
  if (scope.cut(end.error())) raise_timeout(std::move(end.error()));
  end.raise();
  co_return end.take();
}

/// An operation that need not wait: a free lock, a future that is done.
template <class A>
Coro<TaskValue<A>> wait_for_operation(A operation, Limit limit) {
  if (limit.has_value() && limit.ticks() <= 0) {
    if constexpr (result_handle<A>) {
      const bool was_pending = !operation.done();
      const std::uint32_t requests = TimeoutAccess::requests_of_caller();
      if (was_pending) HandleAccess::cancel(operation);
      auto end = co_await settle(as_coro(std::move(operation)));
      if (was_pending && outcome_is_cancelled(end.error()) &&
          TimeoutAccess::requests_of_caller() <= requests) {
        raise_timeout(std::move(end.error()));
      }
      end.raise();
      co_return end.take();
    } else {
      AwaiterOf<A> awaiter = awaiter_of(std::move(operation));
      if (!awaiter.await_ready()) throw TimeoutError();
      co_return awaiter.await_resume();
    }
  }
  TimeoutAccess scope(deadline_after(limit));
  auto end = co_await settle(as_coro(std::move(operation)));
  if (scope.cut(end.error())) raise_timeout(std::move(end.error()));
  end.raise();
  co_return end.take();
}

}  // namespace detail

/// Runs `body` and cancels it when `limit` has passed.
///
///     co_await asyncio::timeout(5s, [&](asyncio::Timeout& limit) -> asyncio::Coro<> {
///       co_await connect();
///       limit.reschedule(loop.now() + 10s);
///       co_await transfer();
///     });
///
/// `body` is called with `(Timeout&, args&...)` or `(args&...)`. Inside, the end of time is a
/// CancelledError; it becomes a TimeoutError at the edge of the scope [R38].
///
/// Throws:  TimeoutError; what body throws.
/// Cancel:  a cancellation from outside stays one, also in the turn in which time ends [R39].
/// Python:  asyncio.timeout.
template <class Body, class... Args>
auto timeout(Limit limit, Body&& body, Args... args) {
  return detail::timeout_scope<detail::KeptBody<Body>, Args...>(
      limit, detail::keep_body<Body>(body), std::move(args)...);
}

/// timeout() with a point of the loop's clock instead of a limit; std::nullopt for none.
template <class Body, class... Args>
auto timeout_at(detail::Deadline when, Body&& body, Args... args) {
  return detail::timeout_at_scope<detail::KeptBody<Body>, Args...>(
      when, detail::keep_body<Body>(body), std::move(args)...);
}

/// timeout() that gives std::nullopt instead of throwing TimeoutError; for a body without a result,
/// whether it ended in time.
///
///     if (auto page = co_await asyncio::move_on_after(5s, body)) co_return *page;
template <class Body, class... Args>
auto move_on_after(Limit limit, Body&& body, Args... args) {
  return detail::move_on_scope<detail::KeptBody<Body>, Args...>(
      limit, detail::keep_body<Body>(body), std::move(args)...);
}

/// Awaits something for at most `limit`: cancels it then, waits until it has ended, and throws.
///
/// A coroutine runs in the caller's task and context [R37]; a Task or Future that is given is
/// cancelled too [R33]. If what was cancelled gives a value all the same, that is the result [R34].
///
/// Throws:  TimeoutError.
/// Python:  asyncio.wait_for.
template <awaitable A>
auto wait_for(A awaitable, Limit limit) {
  if constexpr (detail::is_coro<A>) return detail::wait_for_coro(std::move(awaitable), limit);
  else return detail::wait_for_operation(std::move(awaitable), limit);
}

}  // namespace asyncio::inline v0
