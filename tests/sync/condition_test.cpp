// Condition wakes who waits, never without the lock, and loses no notification.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <memory>
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

// Waits on `condition` without a guard, which would outlive its lock.
Coro<> wait_bare(Condition& condition) {
  co_await condition.acquire();
  co_await condition.wait();
}

ASYNC_TEST(Condition, "that is destroyed wakes its waiters with RuntimeError [D5]") {
  auto condition = std::make_unique<Condition>();
  auto waiter = create_task(wait_bare(*condition));
  co_await sleep(1s);
  condition.reset();
  EXPECT_THROW(co_await waiter, RuntimeError);
}

ASYNC_TEST(Condition, "that is destroyed and cancelled in one turn ends cancelled [D5]") {
  for (const bool cancelled_first : {true, false}) {
    auto condition = std::make_unique<Condition>();
    auto waiter = create_task(wait_bare(*condition));
    co_await sleep(1s);
    if (cancelled_first) waiter.cancel();
    condition.reset();
    waiter.cancel();
    const auto end = co_await waiter.join();
    EXPECT_TRUE(end.cancelled());
  }
}

ASYNC_TEST(Condition, "that is destroyed gives back the lock that others use [D5, R59]") {
  Lock lock;
  for (const bool notified : {false, true}) {
    auto condition = std::make_unique<Condition>(lock);
    auto waiter = create_task([](Condition& it) -> Coro<> {
      auto held = co_await it.scoped_acquire();
      co_await it.wait();
    }(*condition));
    co_await sleep(1s);
    {
      auto mine = co_await lock.scoped_acquire();
      if (notified) {
        condition->notify();
        co_await sleep(1s);  // it stands in line for the lock
        waiter.cancel();
      }
      condition.reset();
      co_await sleep(1s);
      EXPECT_TRUE(lock.locked());
      EXPECT_FALSE(waiter.done());
    }
    const auto end = co_await waiter.join();
    EXPECT_EQ(end.cancelled(), notified);
    EXPECT_FALSE(lock.locked());
  }
}

SYNC_TEST(Condition, "of another loop is refused before the lock is released [R63, R59]") {
  Lock lock;
  Condition condition(lock);
  auto first = new_event_loop();
  first->run_until_complete([](Condition& it) -> Coro<> {
    auto waiter = create_task(wait_bare(it));
    co_await sleep(0s);
    co_await it.acquire();
    it.notify();
    it.release();
    co_await waiter;
    it.release();
  }(condition));
  auto second = new_event_loop();
  second->run_until_complete([](Condition& it) -> Coro<> {
    auto held = co_await it.scoped_acquire();
    EXPECT_THROW(co_await it.wait(), RuntimeError);
    EXPECT_TRUE(it.locked());
  }(condition));
}

ASYNC_TEST(Condition, "says so when the lock is free") {
  Condition condition;
  EXPECT_THROW(condition.notify(), InvalidStateError);
  EXPECT_THROW(co_await condition.wait(), InvalidStateError);
}

}  // namespace
}  // namespace asyncio
