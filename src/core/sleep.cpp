// A task's stand in the heap of timers.
// SPDX-License-Identifier: MIT
#include <asyncio/sleep.hpp>

namespace asyncio::inline v0 {
namespace detail {

void SleepAwaiter::sleep(std::coroutine_handle<> frame) {
  LoopBase& loop = *thread_state.loop;
  const Ticks when = later(loop_now(loop), delay);
  place = {nowhere, Kind::sleeper};
  arm_timer(loop, *this, when);
  stand(*this, frame);
}

bool SleepAwaiter::cancel(CancelRequest&) noexcept {
  leave();
  return false;
}

void SleepAwaiter::leave() noexcept { disarm_timer(*task->loop, *this); }

}  // namespace detail

Coro<> sleep_until(detail::Deadline deadline) {
  const detail::Ticks when = deadline.ticks();
  const detail::Ticks now = detail::loop_now(*detail::thread_state.loop);
  // At both ends of the clock the difference would overflow.
  detail::Ticks delay = 0;
  if (when == detail::never) delay = detail::never;
  else if (when > now) delay = when - now;
  co_await Sleep(delay);
}

}  // namespace asyncio::inline v0
