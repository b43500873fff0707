// Queue hands every item to exactly one task, in order, whoever is cancelled meanwhile.
// SPDX-License-Identifier: MIT
#include <asyncio/queue.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/wait.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<> get_one(Queue<int>& queue, Events& events, std::string name) {
  const int item = co_await queue.get();
  events.push_back(name + std::to_string(item));
}

Coro<> put_one(Queue<int>& queue, Events& events, int item) {
  co_await queue.put(item);
  events.push_back("p" + std::to_string(item));
}

Coro<> produce_four(Queue<int>& queue, Events& events) {
  for (int i = 0; i < 4; ++i) co_await put_one(queue, events, i);
}

Coro<> consume_four(Queue<int>& queue, Events& events) {
  for (int i = 0; i < 4; ++i) {
    co_await get_one(queue, events, "g");
    co_await sleep(0s);
  }
}

ASYNC_TEST(Queue, "makes put() wait when it is full, in asyncio's order [R64]") {
  Queue<int> queue(2);
  Events events;
  co_await gather(produce_four(queue, events), consume_four(queue, events));
  EXPECT_EQ(events, (Events{"p0", "p1", "g0", "p2", "g1", "p3", "g2", "g3"}));
}

ASYNC_TEST(Queue, "of one item takes turns") {
  Queue<int> queue(1);
  Events events;
  co_await gather(produce_four(queue, events), consume_four(queue, events));
  EXPECT_EQ(events, (Events{"p0", "g0", "p1", "g1", "p2", "g2", "p3", "g3"}));
}

ASYNC_TEST(Queue, "gives items in the order they were put, to getters in the order they came") {
  Queue<int> queue;
  Events events;
  auto a = create_task(get_one(queue, events, "a"));
  auto b = create_task(get_one(queue, events, "b"));
  co_await sleep(0s);
  queue.put_nowait(1);
  queue.put_nowait(2);
  co_await gather(a, b);
  EXPECT_EQ(events, (Events{"a1", "b2"}));
}

ASYNC_TEST(Queue, "keeps the item for the next if its getter is cancelled in that turn [R65][C1]") {
  Queue<int> queue;
  Events events;
  auto a = create_task(get_one(queue, events, "a"));
  auto b = create_task(get_one(queue, events, "b"));
  co_await sleep(0s);
  queue.put_nowait(1);  // wakes a
  a.cancel();
  const std::vector tasks{a, b};
  co_await wait(tasks);
  EXPECT_TRUE(a.cancelled());
  EXPECT_EQ(events, Events{"b1"});
}

ASYNC_TEST(Queue, "keeps the item when the only getter times out as it arrives [R65][C1]") {
  Queue<int> queue;
  auto waits = create_task([](Queue<int>& source) -> Coro<bool> {
    try {
      static_cast<void>(co_await wait_for(source.get(), 1s));
      co_return true;
    } catch (const TimeoutError&) {
      co_return false;
    }
  }(queue));
  co_await sleep(0s);
  get_running_loop().call_later(1s, [&queue] { queue.put_nowait(7); });
  const bool got = co_await waits;
  EXPECT_EQ(queue.qsize(), got ? 0u : 1u);
}

ASYNC_TEST(Queue, "lets get_nowait() overtake a woken getter, who goes to the back [R66]") {
  Queue<int> queue;
  Events events;
  auto a = create_task(get_one(queue, events, "a"));
  auto b = create_task(get_one(queue, events, "b"));
  co_await sleep(0s);
  queue.put_nowait(1);
  EXPECT_EQ(queue.get_nowait(), 1);
  co_await sleep(0s);
  queue.put_nowait(2);
  queue.put_nowait(3);
  co_await gather(a, b);
  EXPECT_EQ(events, (Events{"b2", "a3"}));
}

ASYNC_TEST(Queue, "gets nothing from a cancelled put(), and the slot goes to the next [R67]") {
  Queue<int> queue(1);
  queue.put_nowait(0);
  Events events;
  auto one = create_task(put_one(queue, events, 1));
  auto two = create_task(put_one(queue, events, 2));
  co_await sleep(0s);
  EXPECT_EQ(queue.get_nowait(), 0);  // wakes `one`
  one.cancel();
  const std::vector tasks{one, two};
  co_await wait(tasks);
  EXPECT_EQ(events, Events{"p2"});
  EXPECT_EQ(queue.get_nowait(), 2);
  EXPECT_TRUE(queue.empty());
}

ASYNC_TEST(Queue, "counts what was put until task_done() was said for it [R68][D3]") {
  Queue<int> queue;
  co_await queue.join();  // at once: nothing was put
  queue.put_nowait(1);
  queue.put_nowait(2);
  Events events;
  auto joined = create_task([](Queue<int>& all, Events& said) -> Coro<> {
    co_await all.join();
    said.push_back("joined");
  }(queue, events));
  queue.get_nowait();
  queue.get_nowait();
  queue.task_done();
  co_await sleep(1s);
  EXPECT_EQ(events, Events{});  // empty, but one is in work
  queue.task_done();
  co_await joined;
  EXPECT_EQ(events, Events{"joined"});
  EXPECT_THROW(queue.task_done(), std::invalid_argument);
}

ASYNC_TEST(Queue, "that is shut down refuses puts and gives what it has [R69][D2]") {
  Queue<int> queue(2);
  queue.put_nowait(1);
  queue.put_nowait(2);
  queue.shutdown();
  EXPECT_THROW(queue.put_nowait(3), QueueShutDown);
  bool refused = false;
  try {
    co_await queue.put(3);
  } catch (const QueueShutDown&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
  const int first = co_await queue.get();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(queue.get_nowait(), 2);
  EXPECT_THROW(queue.get_nowait(), QueueShutDown);
  bool ended = false;
  try {
    static_cast<void>(co_await queue.get());
  } catch (const QueueShutDown&) {
    ended = true;
  }
  EXPECT_TRUE(ended);
}

ASYNC_TEST(Queue, "wakes its getters and its putters when it is shut down [R69][D2]") {
  Queue<int> idle;
  Queue<int> busy(1);
  busy.put_nowait(0);
  Events events;
  auto getter = create_task(get_one(idle, events, "g"));
  auto putter = create_task(put_one(busy, events, 1));
  co_await sleep(0s);
  idle.shutdown();
  busy.shutdown();
  const std::vector tasks{getter, putter};
  co_await wait(tasks);
  EXPECT_THROW(getter.result(), QueueShutDown);
  EXPECT_THROW(putter.result(), QueueShutDown);
  EXPECT_EQ(events, Events{});
  EXPECT_EQ(busy.get_nowait(), 0);
}

ASYNC_TEST(Queue, "drops its items at an immediate shutdown, but what is in work is owed [R69]") {
  Queue<int> queue;
  for (int i = 0; i < 3; ++i) queue.put_nowait(i);
  queue.get_nowait();  // in work
  auto joined = create_task([](Queue<int>& all) -> Coro<> { co_await all.join(); }(queue));
  queue.shutdown(true);
  EXPECT_TRUE(queue.empty());
  co_await sleep(1s);
  EXPECT_FALSE(joined.done());
  queue.task_done();
  co_await joined;
}

ASYNC_TEST(Queue, "ends a loop over next() when it is shut down and drained") {
  Queue<int> queue;
  std::vector<int> got;
  auto consumer = create_task([](Queue<int>& source, std::vector<int>& all) -> Coro<> {
    while (auto item = co_await source.next()) all.push_back(*item);
  }(queue, got));
  co_await queue.put(1);
  co_await sleep(1s);
  co_await queue.emplace(2);
  queue.shutdown();
  co_await consumer;
  EXPECT_EQ(got, (std::vector{1, 2}));
}

ASYNC_TEST(Queue, "moves items that cannot be copied, and gives them back if they do not fit") {
  Queue<std::unique_ptr<int>> queue(1);
  co_await queue.put(std::make_unique<int>(1));
  auto second = std::make_unique<int>(2);
  EXPECT_THROW(queue.put_nowait(std::move(second)), QueueFull);
  EXPECT_EQ(*second, 2);
  const auto first = co_await queue.get();
  EXPECT_EQ(*first, 1);
  EXPECT_THROW(queue.get_nowait(), QueueEmpty);
}

ASYNC_TEST(Queue, "says how many it holds and may hold") {
  Queue<int> unbounded(-3);
  EXPECT_EQ(unbounded.maxsize(), 0);
  EXPECT_FALSE(unbounded.full());
  Queue<int> queue(2);
  EXPECT_EQ(queue.maxsize(), 2);
  EXPECT_TRUE(queue.empty());
  co_await queue.put(1);
  co_await queue.put(2);
  EXPECT_EQ(queue.qsize(), 2u);
  EXPECT_TRUE(queue.full());
}

ASYNC_TEST(Queue, "gives a thousand items in order while its ring grows and turns") {
  Queue<std::string> queue;
  int put = 0;
  int got = 0;
  for (int round = 1; round <= 40; ++round) {
    for (int i = 0; i < round; ++i) queue.put_nowait(std::to_string(put++));
    for (int i = 0; i < round / 2 + 5 && !queue.empty(); ++i) {
      EXPECT_EQ(queue.get_nowait(), std::to_string(got++));
    }
  }
  EXPECT_EQ(queue.qsize(), static_cast<std::size_t>(put - got));
  co_return;
}

ASYNC_TEST(Queue, "destroyed while tasks wait wakes them with an error [D5]") {
  std::optional<Queue<int>> queue(std::in_place);
  Events events;
  auto getter = create_task(get_one(*queue, events, "g"));
  auto joiner = create_task([](Queue<int>& all) -> Coro<> {
    all.put_nowait(1);
    co_await all.join();
  }(*queue));
  co_await sleep(1s);
  auto late = create_task(get_one(*queue, events, "late"));
  co_await sleep(0s);
  queue.reset();
  late.cancel();
  const std::vector tasks{getter, joiner, late};
  co_await wait(tasks);
  EXPECT_EQ(events, Events{"g1"});
  EXPECT_THROW(joiner.result(), RuntimeError);
  EXPECT_TRUE(late.cancelled());
}

ASYNC_TEST(PriorityQueue, "gives the least first, and equal ones in the order put") {
  using Entry = std::pair<int, std::string>;
  struct ByNumber {
    bool operator()(const Entry& a, const Entry& b) const { return a.first < b.first; }
  };
  PriorityQueue<Entry, ByNumber> queue;
  for (const char* text : {"2a", "1a", "2b", "0a", "1b", "2c"}) {
    co_await queue.put(Entry(text[0] - '0', text));
  }
  std::string order;
  while (!queue.empty()) order += queue.get_nowait().second + " ";
  EXPECT_EQ(order, "0a 1a 1b 2a 2b 2c ");
}

ASYNC_TEST(PriorityQueue, "lets the getter take the best there is when it runs [R70]") {
  PriorityQueue<int> queue;
  auto getter = create_task([](PriorityQueue<int>& source) -> Coro<int> {
    co_return co_await source.get();
  }(queue));
  co_await sleep(0s);
  queue.put_nowait(5);  // wakes it
  queue.put_nowait(1);
  const int got = co_await getter;
  EXPECT_EQ(got, 1);
}

SYNC_TEST(PriorityQueue, "moves items that cannot be copied, and takes a comparison") {
  const auto more = [](const auto& a, const auto& b) { return *a > *b; };
  PriorityQueue<std::unique_ptr<int>, decltype(more)> queue(0, more);
  for (int i : {1, 3, 2}) queue.put_nowait(std::make_unique<int>(i));
  EXPECT_EQ(*queue.get_nowait(), 3);
  EXPECT_EQ(*queue.get_nowait(), 2);
}

ASYNC_TEST(LifoQueue, "gives the last that was put") {
  LifoQueue<int> queue(2);
  co_await queue.put(1);
  co_await queue.put(2);
  EXPECT_TRUE(queue.full());
  const int last = co_await queue.get();
  EXPECT_EQ(last, 2);
  EXPECT_EQ(queue.get_nowait(), 1);
}

}  // namespace
}  // namespace asyncio
