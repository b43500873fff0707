// Lock keeps the order, passes turns on and loses none.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/timeout.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<> visit(Lock& lock, Events& events, std::string name) {
  auto held = co_await lock.scoped_acquire();
  events.push_back(name);
  co_await sleep(1s);
}

ASYNC_TEST(Lock, "lets waiters in one at a time, in the order they asked [R56]") {
  Lock lock;
  Events events;
  co_await gather(visit(lock, events, "first"), visit(lock, events, "second"),
                  visit(lock, events, "third"));
  EXPECT_EQ(events, (Events{"first", "second", "third"}));
  EXPECT_FALSE(lock.locked());
}

ASYNC_TEST(Lock, "does not suspend where it is free") {
  Lock lock;
  Events events;
  auto other = create_task([](Events& all) -> Coro<> {
    all.push_back("other");
    co_return;
  }(events));
  co_await lock.acquire();
  events.push_back("acquired");
  co_await other;
  EXPECT_EQ(events, (Events{"acquired", "other"}));
}

ASYNC_TEST(Lock, "does not let the releaser overtake a waiter [R56]") {
  Lock lock;
  Events events;
  co_await lock.acquire();
  auto waiter = create_task(visit(lock, events, "waiter"));
  co_await sleep(0s);
  lock.release();
  EXPECT_FALSE(lock.locked());
  co_await lock.acquire();
  events.push_back("me");
  lock.release();
  co_await waiter;
  EXPECT_EQ(events, (Events{"waiter", "me"}));
}

ASYNC_TEST(Lock, "passes on the turn of a waiter that was woken and then cancelled [R57]") {
  Lock lock;
  Events events;
  co_await lock.acquire();
  auto cancelled = create_task(visit(lock, events, "cancelled"));
  auto next = create_task(visit(lock, events, "next"));
  co_await sleep(0s);
  lock.release();      // wakes the first waiter ...
  cancelled.cancel();  // ... which never gets to use its turn
  co_await next;
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_EQ(events, (Events{"next"}));
}

ASYNC_TEST(Lock, "forgets a waiter that is cancelled in line [R57]") {
  Lock lock;
  Events events;
  co_await lock.acquire();
  auto cancelled = create_task(visit(lock, events, "cancelled"));
  auto next = create_task(visit(lock, events, "next"));
  co_await sleep(0s);
  cancelled.cancel();
  co_await sleep(0s);
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_TRUE(lock.locked());
  lock.release();
  co_await next;
  EXPECT_EQ(events, (Events{"next"}));
}

ASYNC_TEST(Lock, "is free after the only waiter was woken and cancelled [R57]") {
  Lock lock;
  Events events;
  co_await lock.acquire();
  auto cancelled = create_task(visit(lock, events, "cancelled"));
  co_await sleep(0s);
  lock.release();
  cancelled.cancel();
  static_cast<void>(co_await cancelled.join());
  EXPECT_FALSE(lock.locked());
  co_await lock.acquire();
}

ASYNC_TEST(Lock, "is not held by a waiter whose time ran out [R57]") {
  Lock lock;
  co_await lock.acquire();
  EXPECT_THROW(co_await wait_for([](Lock& it) -> Coro<> { co_await it.acquire(); }(lock), 1s),
               TimeoutError);
  lock.release();
  EXPECT_FALSE(lock.locked());
}

ASYNC_TEST(Lock, "is released at the end of the scope, also by an error") {
  Lock lock;
  const auto fails = [&lock]() -> Coro<> {
    auto held = co_await lock.scoped_acquire();
    EXPECT_TRUE(lock.locked());
    throw std::runtime_error("inside");
  };
  EXPECT_THROW(co_await fails(), std::runtime_error);
  EXPECT_FALSE(lock.locked());
}

ASYNC_TEST(Lock, "may be released before the end of the scope, and moved out of it") {
  Lock lock;
  auto held = co_await lock.scoped_acquire();
  auto kept = std::move(held);
  EXPECT_TRUE(lock.locked());
  kept.release();
  EXPECT_FALSE(lock.locked());
  kept.release();  // harmless: there is nothing to release any more
}

ASYNC_TEST(Lock, "lets in one at a time also where a scope's lock was released by hand") {
  Lock lock;
  Events events;
  std::vector<Task<>> tasks;
  {
    auto held = co_await lock.scoped_acquire();
    tasks.push_back(create_task(visit(lock, events, "first")));
    tasks.push_back(create_task(visit(lock, events, "second")));
    co_await sleep(0s);
    lock.release();
  }
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"first"}));
  co_await gather(std::move(tasks));
  EXPECT_EQ(events, (Events{"first", "second"}));
}

ASYNC_TEST(Lock, "says so when a free lock is released") {
  Lock lock;
  EXPECT_THROW(lock.release(), InvalidStateError);
  co_return;
}

ASYNC_TEST(Lock, "that is destroyed wakes its waiters with RuntimeError") {
  std::optional<Lock> lock(std::in_place);
  Events events;
  co_await lock->acquire();
  auto waiter = create_task(visit(*lock, events, "waiter"));
  auto woken = create_task(visit(*lock, events, "woken"));
  auto cancelled = create_task(visit(*lock, events, "cancelled"));
  co_await sleep(0s);
  lock->release();
  cancelled.cancel();
  lock.reset();
  EXPECT_THROW(co_await waiter, RuntimeError);
  EXPECT_THROW(co_await woken, RuntimeError);
  EXPECT_THROW(co_await cancelled, CancelledError);
  EXPECT_EQ(events, Events{});
}

SYNC_TEST(Lock, "belongs to the loop of those who waited for it first [R63]") {
  Lock lock;
  const auto contend = [&lock]() -> Coro<> {
    co_await lock.acquire();
    Events events;
    auto waiter = create_task(visit(lock, events, "waiter"));
    co_await sleep(0s);
    lock.release();
    co_await waiter;
  };
  run(contend());
  EXPECT_FALSE(lock.locked());
  EXPECT_THROW(run(contend()), RuntimeError);
}

ASYNC_TEST(Lock, "takes a hundred thousand waiters, and loses none who are cancelled [D9]") {
  Lock lock;
  int inside = 0;
  co_await lock.acquire();
  std::vector<Task<>> tasks;
  for (int i = 0; i < 100'000; ++i) {
    tasks.push_back(create_task([](Lock& it, int& count) -> Coro<> {
      auto held = co_await it.scoped_acquire();
      ++count;
    }(lock, inside)));
  }
  co_await sleep(0s);
  for (std::size_t i = 0; i < tasks.size(); i += 2) tasks[i].cancel();
  lock.release();
  for (auto& task : tasks) static_cast<void>(co_await task.join());
  EXPECT_EQ(inside, 50'000);
}

}  // namespace
}  // namespace asyncio
