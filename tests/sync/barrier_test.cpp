// Barrier lets a round go on when it is complete, and says so when it is broken.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/wait.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<> come(Barrier& barrier, Events& events, std::string name) {
  try {
    const std::size_t index = co_await barrier.wait();
    events.push_back(name + " " + std::to_string(index));
  } catch (const BrokenBarrierError&) {
    events.push_back(name + " broken");
  }
}

ASYNC_TEST(Barrier, "holds them back until all have come, and numbers them [R62]") {
  Barrier barrier(3);
  Events events;
  auto a = create_task(come(barrier, events, "a"));
  auto b = create_task(come(barrier, events, "b"));
  co_await sleep(1s);
  EXPECT_EQ(events, Events{});
  EXPECT_EQ(barrier.n_waiting(), 2u);
  co_await come(barrier, events, "c");
  EXPECT_EQ(events, Events{"c 2"});  // the last goes straight on
  EXPECT_EQ(barrier.n_waiting(), 0u);
  co_await gather(a, b);
  EXPECT_EQ(events, (Events{"c 2", "a 0", "b 1"}));
}

ASYNC_TEST(Barrier, "of one never suspends") {
  Barrier barrier(1);
  Events events;
  auto other = create_task([](Events& all) -> Coro<> {
    all.push_back("other");
    co_return;
  }(events));
  const std::size_t index = co_await barrier.wait();
  EXPECT_EQ(index, 0u);
  EXPECT_EQ(events, Events{});
  co_await other;
}

ASYNC_TEST(Barrier, "puts who comes again into the next round [R62][D8]") {
  Barrier barrier(2);
  Events events;
  auto waits = create_task(come(barrier, events, "first"));
  co_await sleep(0s);
  co_await come(barrier, events, "me");
  auto again = create_task(come(barrier, events, "again"));  // before `first` has run
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"me 1", "first 0"}));
  EXPECT_EQ(barrier.n_waiting(), 1u);
  co_await come(barrier, events, "last");
  co_await gather(waits, again);
  EXPECT_EQ(events, (Events{"me 1", "first 0", "last 1", "again 0"}));
}

ASYNC_TEST(Barrier, "is not broken by a waiter that is cancelled; numbers stay unique [R62][D8]") {
  Barrier barrier(3);
  Events events;
  auto a = create_task(come(barrier, events, "a"));
  auto b = create_task(come(barrier, events, "b"));
  co_await sleep(0s);
  a.cancel();
  EXPECT_EQ(barrier.n_waiting(), 1u);
  co_await sleep(0s);
  EXPECT_TRUE(a.cancelled());
  auto c = create_task(come(barrier, events, "c"));
  co_await sleep(1s);
  EXPECT_EQ(events, Events{});
  co_await come(barrier, events, "d");
  co_await gather(b, c);
  EXPECT_EQ(events, (Events{"d 2", "b 0", "c 1"}));
}

ASYNC_TEST(Barrier, "that is complete stays so, also for one cancelled before it runs [R62]") {
  Barrier barrier(2);
  Events events;
  auto a = create_task(come(barrier, events, "a"));
  co_await sleep(0s);
  co_await come(barrier, events, "b");
  a.cancel();
  barrier.abort();
  EXPECT_EQ(barrier.n_waiting(), 0u);
  co_await sleep(0s);
  EXPECT_TRUE(a.cancelled());
  EXPECT_EQ(events, Events{"b 1"});
}

ASYNC_TEST(Barrier, "does not count who was asked to end before the wait began") {
  Barrier barrier(2);
  auto late = create_task([](Barrier& shared) -> Coro<> {
    current_task()->cancel();
    co_await shared.wait();
  }(barrier));
  co_await sleep(1s);
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_TRUE(late.cancelled());
}

ASYNC_TEST(Barrier, "tells its waiters when it is reset, and begins anew [R62]") {
  Barrier barrier(2);
  Events events;
  auto a = create_task(come(barrier, events, "a"));
  co_await sleep(0s);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  auto b = create_task(come(barrier, events, "b"));
  co_await sleep(1s);
  EXPECT_EQ(events, Events{"a broken"});
  co_await come(barrier, events, "c");
  co_await gather(a, b);
  EXPECT_EQ(events, (Events{"a broken", "c 1", "b 0"}));
}

ASYNC_TEST(Barrier, "stays broken after abort() until reset() [R62]") {
  Barrier barrier(2);
  Events events;
  auto a = create_task(come(barrier, events, "a"));
  co_await sleep(0s);
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  co_await a;
  co_await come(barrier, events, "b");
  EXPECT_EQ(events, (Events{"a broken", "b broken"}));
  barrier.reset();
  auto c = create_task(come(barrier, events, "c"));
  co_await sleep(0s);
  co_await come(barrier, events, "d");
  co_await c;
  EXPECT_EQ(events, (Events{"a broken", "b broken", "d 1", "c 0"}));
}

SYNC_TEST(Barrier, "wants at least one party") {
  EXPECT_THROW(Barrier(0), std::invalid_argument);
  EXPECT_THROW(Barrier(-1), std::invalid_argument);
  EXPECT_EQ(Barrier(4).parties(), 4u);
}

ASYNC_TEST(Barrier, "destroyed once a round is complete has let its tasks through") {
  std::optional<Barrier> barrier(std::in_place, 2);
  auto waiter = create_task([](Barrier& it) -> Coro<std::size_t> {
    co_return co_await it.wait();
  }(*barrier));
  co_await sleep(1s);
  const std::size_t last = co_await barrier->wait();
  barrier.reset();
  const std::size_t first = co_await waiter;
  EXPECT_EQ(last, 1u);
  EXPECT_EQ(first, 0u);
}

ASYNC_TEST(Barrier, "destroyed while tasks wait wakes them with an error [D5]") {
  std::optional<Barrier> barrier(std::in_place, 2);
  auto a = create_task([](Barrier& gone) -> Coro<> { co_await gone.wait(); }(*barrier));
  co_await sleep(0s);
  barrier.reset();
  const std::vector tasks{a};
  co_await wait(tasks);
  EXPECT_THROW(a.result(), RuntimeError);
}

SYNC_TEST(Barrier, "forgets the waiters of a loop that ends") {
  Barrier barrier(2);
  testing::run([](Barrier& shared) -> Coro<> {
    auto left = create_task([](Barrier& far) -> Coro<> { co_await far.wait(); }(shared));
    co_await sleep(0s);
    EXPECT_EQ(shared.n_waiting(), 1u);
  }(barrier));
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

}  // namespace
}  // namespace asyncio
