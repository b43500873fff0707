// Locks and events: free, in demand, and with a hundred thousand waiters.
// SPDX-License-Identifier: MIT
#include <vector>

#include "rows.hpp"

namespace rows {
namespace {

Coro<> visit(asyncio::Lock& lock, long times) {
  for (long i = 0; i < times; i++) {
    co_await lock.acquire();
    co_await asyncio::sleep(0s);
    lock.release();
  }
}

Coro<> wait_for(asyncio::Event& event) { co_await event.wait(); }

}  // namespace

Coro<> lock_free(long n) {
  asyncio::Lock lock;
  Stopwatch watch;
  watch.start();
  for (long i = 0; i < n; i++) {
    co_await lock.acquire();
    lock.release();
  }
  watch.stop();
  watch.report(double(n));
}

Coro<> lock_eight(long n) {
  asyncio::Lock lock;
  Stopwatch watch;
  std::vector<Coro<>> visits;
  for (int i = 0; i < 8; i++) visits.push_back(visit(lock, n / 8));
  watch.start();
  co_await asyncio::gather(std::move(visits));
  watch.stop();
  watch.report(double(n / 8 * 8));
}

// From set() until the last of the waiters has ended.
Coro<> event_wake(long n) {
  asyncio::Event event;
  std::vector<asyncio::Task<>> tasks;
  for (long i = 0; i < n; i++) tasks.push_back(asyncio::create_task(wait_for(event)));
  co_await asyncio::sleep(0s);
  Stopwatch watch;
  watch.start();
  event.set();
  co_await tasks.back();
  watch.stop();
  watch.report(double(n));
}

}  // namespace rows
