// Locks, events and queues: free, in demand, with a hundred thousand waiters, full and empty.
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

Coro<> produce(asyncio::Queue<int>& queue, int n) {
  for (int i = 0; i < n; i++) co_await queue.put(i);
}

Coro<> consume(asyncio::Queue<int>& queue, int n) {
  for (int i = 0; i < n; i++) {
    if (co_await queue.get() != i) measure::fail("items lost");
  }
}

Coro<> through_queue(int capacity, long n) {
  asyncio::Queue<int> queue(capacity);
  Stopwatch watch;
  watch.start();
  co_await asyncio::gather(produce(queue, static_cast<int>(n)),
                           consume(queue, static_cast<int>(n)));
  watch.stop();
  watch.report(double(n));
}

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

Coro<> queue_of_128(long n) { return through_queue(128, n); }
Coro<> queue_of_one(long n) { return through_queue(1, n); }

}  // namespace rows
