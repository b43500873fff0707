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

Coro<> sleep_until_tick(Ticks when) {
  const Ticks now = loop_now(*thread_state.loop);
  // At both ends of the clock the difference would overflow.
  Ticks delay = 0;
  if (when == never) delay = never;
  else if (when > now) delay = when - now;
  co_await Sleep(delay);
}

}  // namespace detail
}  // namespace asyncio::inline v0
