// sleep and sleep_until: let time pass, and the others run.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/detail/base/temporaries.hpp>
#include <asyncio/detail/core/cancel.hpp>
#include <asyncio/detail/core/timer.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/limit.hpp>

#include <chrono>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {

class ASYNCIO_API SleepAwaiter : public Awaiter, public Waiter, public TimerNode {
 public:
  explicit SleepAwaiter(Ticks how_long) noexcept : TimerNode(Kind::sleeper) { delay = how_long; }

  bool await_ready() const noexcept { return false; }
  ASYNCIO_INLINE void await_suspend(std::coroutine_handle<> frame) {
    if (delay > 0) {
      sleep(frame);
    } else {
      // One turn, no timer [R11]. There is nothing to leave: a request stays with the task.
      TaskState& me = *thread_state.task;
      task = &me;
      me.resume_at = frame;
      me.loop->ready.push(me);
    }
  }
  ASYNCIO_INLINE void await_resume() {
    if (task->take_cancel()) [[unlikely]] raise_cancelled();
  }

  bool cancel(CancelRequest&) noexcept override;
  void leave() noexcept override;

 private:
  void sleep(std::coroutine_handle<> frame);
};

}  // namespace detail

/// What sleep() returns.
class [[nodiscard("asyncio: this does not sleep: co_await it")]] Sleep {
 public:
  explicit Sleep(detail::Ticks delay) noexcept : delay_(delay) {}
  detail::SleepAwaiter operator co_await() && noexcept { return detail::SleepAwaiter(delay_); }

 private:
  detail::Ticks delay_;
};

/// Lets at least `delay` pass while others run. `sleep(0s)` lets each of the others run once [R11].
///
/// Throws:  std::invalid_argument if the delay is not a number.
/// Python:  asyncio.sleep.
template <class Rep, class Period>
Sleep sleep(const std::chrono::duration<Rep, Period>& delay) {
  return Sleep(detail::ticks_of(delay));
}

/// sleep(1) without a unit would be the C library's, and block: write sleep(1s).
template <class T>
  requires std::is_arithmetic_v<T>
Sleep sleep(T) = delete;

namespace detail {

template <class T>
Coro<T> sleep_and_give(Sleep sleep, T value) {
  co_await std::move(sleep);
  co_return std::move(value);
}

}  // namespace detail

/// sleep() that gives `value` afterwards.
template <class Rep, class Period, class T>
Coro<std::decay_t<T>> sleep(std::chrono::duration<Rep, Period> delay, T&& value) {
  static_assert(std::is_lvalue_reference_v<T> || !detail::fragile_temporary<std::decay_t<T>>,
                "asyncio: g++ 12 destroys a temporary of this aggregate type twice: give it a name "
                "and pass that, which copies it");
  return detail::sleep_and_give<std::decay_t<T>>(sleep(delay), std::forward<T>(value));
}

/// Sleeps until the loop's clock shows `when`, as `loop.now() + 1.5s`: periodic work without drift.
///
/// Throws:  std::invalid_argument if that is not a number.
ASYNCIO_API Coro<> sleep_until(detail::Deadline when);

}  // namespace asyncio::inline v0
