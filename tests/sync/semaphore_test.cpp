// Semaphore lets so many through, in order, and loses no permit.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<> pass(Semaphore& semaphore, Events& events, std::string name) {
  co_await semaphore.acquire();
  events.push_back(name);
}

ASYNC_TEST(Semaphore, "lets no more than so many through at a time [R60]") {
  Semaphore semaphore(3);
  int inside = 0;
  int most = 0;
  std::vector<Coro<>> visits;
  for (int i = 0; i < 10; ++i) {
    visits.push_back([](Semaphore& it, int& now, int& top) -> Coro<> {
      auto permit = co_await it.scoped_acquire();
      top = std::max(top, ++now);
      co_await sleep(1s);
      --now;
    }(semaphore, inside, most));
  }
  co_await gather(std::move(visits));
  EXPECT_EQ(most, 3);
  EXPECT_FALSE(semaphore.locked());
}

ASYNC_TEST(Semaphore, "hands a permit over: nobody overtakes who is owed one [R60]") {
  Semaphore semaphore(1);
  Events events;
  co_await semaphore.acquire();
  auto waiter = create_task(pass(semaphore, events, "waiter"));
  co_await sleep(0s);
  semaphore.release();
  EXPECT_TRUE(semaphore.locked());
  auto late = create_task(pass(semaphore, events, "late"));
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"waiter"}));
  semaphore.release();
  co_await late;
}

ASYNC_TEST(Semaphore, "gives the permit of a cancelled waiter to the next [R60]") {
  Semaphore semaphore(0);
  Events events;
  auto cancelled = create_task(pass(semaphore, events, "cancelled"));
  auto next = create_task(pass(semaphore, events, "next"));
  co_await sleep(0s);
  semaphore.release();
  cancelled.cancel();
  co_await next;
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_EQ(events, (Events{"next"}));
}

ASYNC_TEST(Semaphore, "keeps the permit that a cancelled waiter leaves behind [R60]") {
  Semaphore semaphore(0);
  Events events;
  auto cancelled = create_task(pass(semaphore, events, "cancelled"));
  co_await sleep(0s);
  semaphore.release();
  cancelled.cancel();
  static_cast<void>(co_await cancelled.join());
  EXPECT_FALSE(semaphore.locked());
  co_await semaphore.acquire();
}

ASYNC_TEST(Semaphore, "lets in who came while a permit was owed and another was free [R60]") {
  Semaphore semaphore(0);
  Events events;
  auto first = create_task(pass(semaphore, events, "first"));
  co_await sleep(0s);
  semaphore.release();
  semaphore.release();  // one is owed to the first, one is free
  co_await semaphore.acquire();
  events.push_back("me");
  co_await first;
  EXPECT_EQ(events, (Events{"first", "me"}));
  EXPECT_TRUE(semaphore.locked());
}

ASYNC_TEST(Semaphore, "refuses a negative number of permits") {
  EXPECT_THROW(Semaphore(-1), std::invalid_argument);
  co_return;
}

ASYNC_TEST(Semaphore, "that is destroyed wakes its waiters with RuntimeError") {
  std::optional<Semaphore> semaphore(0);
  Events events;
  auto waiter = create_task(pass(*semaphore, events, "waiter"));
  co_await sleep(0s);
  semaphore.reset();
  EXPECT_THROW(co_await waiter, RuntimeError);
}

ASYNC_TEST(BoundedSemaphore, "finds a release without an acquire [R61]") {
  BoundedSemaphore semaphore(2);
  EXPECT_THROW(semaphore.release(), std::invalid_argument);
  co_await semaphore.acquire();
  semaphore.release();
  EXPECT_THROW(semaphore.release(), std::invalid_argument);
}

ASYNC_TEST(BoundedSemaphore, "makes no permit of a scope whose permit was released by hand [R61]") {
  BoundedSemaphore semaphore;
  {
    const auto held = co_await semaphore.scoped_acquire();
    semaphore.release();
  }
  co_await semaphore.acquire();
  EXPECT_TRUE(semaphore.locked());
  semaphore.release();
}

}  // namespace
}  // namespace asyncio
