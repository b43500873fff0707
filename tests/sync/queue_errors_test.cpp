// A Queue stays as it was when an item's move or comparison throws, and the next in line goes on.
// SPDX-License-Identifier: MIT
#include <asyncio/queue.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

/// Counts down to what throws; negative: nothing does.
int left = -1;

void count_down() {
  if (left >= 0 && left-- == 0) throw std::runtime_error("no");
}

struct Fragile {
  explicit Fragile(int value) : number(value) {}
  Fragile(Fragile&& other) : number(other.number) { count_down(); }
  int number;
};

struct ThrowingLess {
  bool operator()(int a, int b) const {
    count_down();
    return a < b;
  }
};

using Priorities = PriorityQueue<int, ThrowingLess>;

int number_of(int item) { return item; }
int number_of(const Fragile& item) { return item.number; }

template <class Items>
Coro<> get_one(Items& queue, Events& events, std::string name) {
  try {
    const auto item = co_await queue.get();
    events.push_back(name + std::to_string(number_of(item)));
  } catch (const std::runtime_error&) {
    events.push_back(name + " failed");
  }
}

template <class Items>
Coro<> next_one(Items& queue, Events& events, std::string name) {
  try {
    const auto item = co_await queue.next();
    events.push_back(name + std::to_string(number_of(*item)));
  } catch (const std::runtime_error&) {
    events.push_back(name + " failed");
  }
}

template <class Items>
Coro<> put_one(Items& queue, Events& events, int item) {
  try {
    co_await queue.emplace(item);
    events.push_back("p" + std::to_string(item));
  } catch (const std::runtime_error&) {
    events.push_back("p" + std::to_string(item) + " failed");
  }
}

/// Takes all items, which must come in order, and says that they are done.
void expect_in_order(Priorities& queue, const std::vector<int>& expected) {
  std::vector<int> got;
  while (!queue.empty()) {
    got.push_back(queue.get_nowait());
    queue.task_done();
  }
  EXPECT_EQ(got, expected);
  EXPECT_THROW(queue.task_done(), std::invalid_argument);  // no more were counted
}

ASYNC_TEST(Queue, "wakes the next getter if the item's move throws in the one it woke [R65]") {
  Queue<Fragile> queue;
  Events events;
  auto a = create_task(get_one(queue, events, "a"));
  auto b = create_task(get_one(queue, events, "b"));
  auto c = create_task(next_one(queue, events, "c"));
  auto d = create_task(get_one(queue, events, "d"));
  co_await sleep(0s);
  queue.put_nowait(Fragile(7));  // wakes a
  left = 0;
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"a failed", "b7"}));
  queue.put_nowait(Fragile(8));  // wakes c
  left = 0;
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"a failed", "b7", "c failed", "d8"}));
}

ASYNC_TEST(Queue, "wakes one getter an item, also if a move throws where nobody was woken [R66]") {
  Queue<Fragile> queue;
  Events events;
  auto a = create_task(get_one(queue, events, "a"));
  auto b = create_task(get_one(queue, events, "b"));
  auto d = create_task(get_one(queue, events, "d"));
  co_await sleep(0s);
  queue.put_nowait(Fragile(1));  // wakes a
  left = 0;
  EXPECT_THROW(queue.get_nowait(), std::runtime_error);
  left = 0;
  co_await get_one(queue, events, "c");  // overtakes
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"c failed", "a1"}));
  queue.put_nowait(Fragile(2));
  queue.put_nowait(Fragile(3));
  co_await d;
  EXPECT_EQ(events, (Events{"c failed", "a1", "b2", "d3"}));
}

ASYNC_TEST(Queue, "keeps the item whichever move throws on its way out") {
  for (int fail = 0; fail < 4; ++fail) {
    Queue<Fragile> queue;
    Events events;
    queue.put_nowait(Fragile(1));
    left = fail;
    co_await next_one(queue, events, "n");
    left = -1;
    EXPECT_EQ(events, queue.empty() ? Events{"n1"} : Events{"n failed"}) << fail;
  }
}

ASYNC_TEST(Queue, "gives the slot to the next putter if the item's move throws [R67]") {
  Queue<Fragile> queue(1);
  queue.put_nowait(Fragile(0));
  Events events;
  auto one = create_task(put_one(queue, events, 1));
  auto two = create_task(put_one(queue, events, 2));
  co_await sleep(0s);
  EXPECT_EQ(queue.get_nowait().number, 0);  // wakes `one`
  left = 0;
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"p1 failed", "p2"}));
  EXPECT_EQ(queue.get_nowait().number, 2);
  queue.task_done();
  queue.task_done();
  co_await queue.join();
}

SYNC_TEST(PriorityQueue, "stays as it was if a comparison throws in get, and keeps its order") {
  for (int fail = 0; fail < 40; ++fail) {
    Priorities queue;
    for (int i = 0; i < 8; ++i) queue.put_nowait(i * 5 % 8);
    left = fail;
    int taken = 0;
    try {
      for (; !queue.empty(); ++taken) {
        EXPECT_EQ(queue.get_nowait(), taken);
        queue.task_done();
      }
    } catch (const std::runtime_error&) {
    }
    left = -1;
    std::vector<int> rest;
    for (int i = taken; i < 8; ++i) rest.push_back(i);
    expect_in_order(queue, rest);
  }
}

SYNC_TEST(PriorityQueue, "takes nothing in if a comparison throws in put [R68]") {
  for (int fail = 0; fail < 4; ++fail) {
    Priorities queue;
    for (int i = 8; i > 0; --i) queue.put_nowait(i);
    left = fail;
    bool failed = false;
    try {
      queue.put_nowait(0);
    } catch (const std::runtime_error&) {
      failed = true;
    }
    left = -1;
    EXPECT_EQ(failed, fail < 3) << fail;  // a way of three to the root
    if (failed) expect_in_order(queue, {1, 2, 3, 4, 5, 6, 7, 8});
    else expect_in_order(queue, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  }
}

ASYNC_TEST(PriorityQueue, "gives the slot to the next putter if a comparison throws [R67]") {
  Priorities queue(2);
  queue.put_nowait(1);
  queue.put_nowait(5);
  Events events;
  auto one = create_task(put_one(queue, events, 3));
  auto two = create_task(put_one(queue, events, 4));
  co_await sleep(0s);
  EXPECT_EQ(queue.get_nowait(), 1);  // wakes `one`
  left = 0;
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"p3 failed", "p4"}));
  EXPECT_EQ(queue.get_nowait(), 4);
  EXPECT_EQ(queue.get_nowait(), 5);
}

ASYNC_TEST(PriorityQueue, "wakes the next getter if a comparison throws [R65]") {
  Priorities queue;
  Events events;
  auto a = create_task(get_one(queue, events, "a"));
  auto b = create_task(get_one(queue, events, "b"));
  auto c = create_task(get_one(queue, events, "c"));
  auto d = create_task(get_one(queue, events, "d"));
  co_await sleep(0s);
  for (int i : {3, 1, 2}) queue.put_nowait(i);  // wakes all but d
  left = 0;
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"a failed", "b1", "c2", "d3"}));
}

}  // namespace
}  // namespace asyncio
