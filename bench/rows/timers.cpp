// Timers: a limit around an operation, and arming, cancelling and moving one among many pending.
// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include "rows.hpp"

namespace rows {
namespace {

using asyncio::EventLoop;
using TimePoint = EventLoop::Clock::time_point;
using std::chrono::microseconds;

void never() {}

// A deadline as far away as the limit's probe has them, an hour later: none comes due meanwhile.
microseconds within_a_minute() { return 1h + microseconds(random_below(60'000'000)); }

std::vector<asyncio::TimerHandle> pending_timers(EventLoop& loop, TimePoint now, long count) {
  std::vector<asyncio::TimerHandle> timers;
  timers.reserve(static_cast<std::size_t>(count));
  for (long i = 0; i < count; i++) timers.push_back(loop.call_at(now + within_a_minute(), never));
  return timers;
}

// Moves one timer after the other half a minute ahead; the first round, unmeasured, leaves the
// random deadlines behind, as the limit's probe does.
template <class Move>
void rearm(long count, long n, TimePoint now, Move move) {
  Stopwatch watch;
  auto some = [&] {
    for (long i = 0; i < n; i++) {
      now += 3us;
      move(random_below(static_cast<std::uint64_t>(count)), now + 1h + 30s);
    }
  };
  some();
  watch.start();
  some();
  watch.stop();
  watch.report(double(n));
}

// A limit that is moved whenever its task makes progress.
Coro<> in_time(std::vector<asyncio::Timeout*>& timeouts, asyncio::Future<> never_set) {
  co_await asyncio::timeout(within_a_minute(), [&](asyncio::Timeout& limit) -> Coro<> {
    timeouts.push_back(&limit);
    co_await never_set;
  });
}

Coro<> rearm_timeouts(long count, long n) {
  EventLoop& loop = asyncio::get_running_loop();
  std::vector<asyncio::Timeout*> timeouts;
  std::vector<asyncio::Task<>> tasks;
  auto never_set = loop.create_future<void>();
  for (long i = 0; i < count; i++)
    tasks.push_back(asyncio::create_task(in_time(timeouts, never_set)));
  co_await asyncio::sleep(0s);
  if (timeouts.size() != tasks.size()) measure::fail("a task has not begun");
  rearm(count, n, loop.now(),
        [&](std::size_t i, TimePoint when) { timeouts[i]->reschedule(when); });
}

Coro<> rearm_handles(long count, long n) {
  EventLoop& loop = asyncio::get_running_loop();
  auto timers = pending_timers(loop, loop.now(), count);
  rearm(count, n, loop.now(), [&](std::size_t i, TimePoint when) {
    timers[i].cancel();
    timers[i] = loop.call_at(when, never);
  });
  co_return;
}

}  // namespace

Coro<> wait_for_turn(long n) {
  Stopwatch watch;
  watch.start();
  for (long i = 0; i < n; i++) co_await asyncio::wait_for(asyncio::sleep(0s), 10s);
  watch.stop();
  watch.report(double(n));
}

Coro<> arm100k(long n) {
  Stopwatch watch;
  EventLoop& loop = asyncio::get_running_loop();
  auto pending = pending_timers(loop, loop.now(), 100'000);
  watch.start();
  for (long i = 0; i < n; i++) loop.call_later(within_a_minute(), never).cancel();
  watch.stop();
  watch.report(double(n));
  co_return;
}

Coro<> arm_at100k(long n) {
  Stopwatch watch;
  EventLoop& loop = asyncio::get_running_loop();
  TimePoint now = loop.now();
  auto pending = pending_timers(loop, now, 100'000);
  watch.start();
  for (long i = 0; i < n; i++) loop.call_at(now + within_a_minute(), never).cancel();
  watch.stop();
  watch.report(double(n));
  co_return;
}

Coro<> rearm100k(long n) { return rearm_timeouts(100'000, n); }
Coro<> rearm1m(long n) { return rearm_timeouts(1'000'000, n); }
Coro<> recall100k(long n) { return rearm_handles(100'000, n); }
Coro<> recall1m(long n) { return rearm_handles(1'000'000, n); }

}  // namespace rows
