// Condition wakes who waits, never without the lock, and loses no notification.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>

#include <string>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<> wait_once(Condition& condition, Events& events, std::string name) {
  auto held = co_await condition.scoped_acquire();
  try {
    co_await condition.wait();
    events.push_back(name);
  } catch (const CancelledError& cancelled) {
    events.push_back(name + " cancelled " + (condition.locked() ? "with" : "without") + " lock " +
                     std::string(cancelled.message()));
    throw;
  }
}

Coro<> notify(Condition& condition, std::size_t count) {
  auto held = co_await condition.scoped_acquire();
  condition.notify(count);
}

ASYNC_TEST(Condition, "wakes so many of those who wait, longest first") {
  Condition condition;
  Events events;
  auto first = create_task(wait_once(condition, events, "first"));
  auto second = create_task(wait_once(condition, events, "second"));
  auto third = create_task(wait_once(condition, events, "third"));
  co_await sleep(0s);
  co_await notify(condition, 2);
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"first", "second"}));
  co_await condition.acquire();
  condition.notify_all();
  condition.release();
  co_await gather(first, second, third);
  EXPECT_EQ(events, (Events{"first", "second", "third"}));
}

ASYNC_TEST(Condition, "has the lock again before wait returns [R59]") {
  Condition condition;
  Events events;
  auto waiter = create_task(wait_once(condition, events, "waiter"));
  co_await sleep(0s);
  co_await condition.acquire();
  condition.notify();
  co_await sleep(1s);
  EXPECT_EQ(events, Events{});
  condition.release();
  co_await waiter;
  EXPECT_EQ(events, (Events{"waiter"}));
}

ASYNC_TEST(Condition, "has the lock again before a cancellation leaves wait [R59]") {
  Condition condition;
  Events events;
  auto waiter = create_task(wait_once(condition, events, "waiter"));
  co_await sleep(0s);
  co_await condition.acquire();
  waiter.cancel("once");
  co_await sleep(1s);
  EXPECT_FALSE(waiter.done());
  waiter.cancel("twice");  // ignored until it has the lock; the last one goes out
  co_await sleep(1s);
  EXPECT_FALSE(waiter.done());
  condition.release();
  EXPECT_TRUE((co_await waiter.join()).cancelled());
  EXPECT_EQ(events, (Events{"waiter cancelled with lock twice"}));
  EXPECT_FALSE(condition.locked());
}

ASYNC_TEST(Condition, "passes on the notification of a waiter that is cancelled then [R59]") {
  Condition condition;
  Events events;
  auto cancelled = create_task(wait_once(condition, events, "one"));
  auto next = create_task(wait_once(condition, events, "next"));
  co_await sleep(0s);
  co_await notify(condition, 1);
  cancelled.cancel();
  co_await next;
  EXPECT_EQ(events, (Events{"one cancelled with lock ", "next"}));
}

ASYNC_TEST(Condition, "passes a notification on, cancelled on its way to the lock [R59]") {
  Condition condition;
  Events events;
  auto cancelled = create_task(wait_once(condition, events, "one"));
  auto next = create_task(wait_once(condition, events, "next"));
  co_await sleep(0s);
  co_await condition.acquire();
  condition.notify();
  co_await sleep(0s);  // it now stands in line for the lock
  cancelled.cancel();
  condition.release();
  co_await next;
  EXPECT_EQ(events, (Events{"one cancelled with lock ", "next"}));
}

ASYNC_TEST(Condition, "waits for a predicate and gives what it gave") {
  Condition condition;
  int value = 0;
  auto waiter = create_task([](Condition& it, int& seen) -> Coro<int> {
    auto held = co_await it.scoped_acquire();
    co_return co_await it.wait_for([&seen] { return seen > 1 ? seen : 0; });
  }(condition, value));
  for (int i = 1; i <= 3; ++i) {
    co_await sleep(1s);
    value = i;
    co_await notify(condition, 1);
  }
  EXPECT_EQ(co_await waiter, 2);
}

ASYNC_TEST(Condition, "may stand on a lock that others use") {
  Lock lock;
  Condition one(lock);
  Condition other(lock);
  auto held = co_await one.scoped_acquire();
  EXPECT_TRUE(other.locked());
}

ASYNC_TEST(Condition, "says so when the lock is free") {
  Condition condition;
  EXPECT_THROW(condition.notify(), InvalidStateError);
  EXPECT_THROW(co_await condition.wait(), InvalidStateError);
}

}  // namespace
}  // namespace asyncio
