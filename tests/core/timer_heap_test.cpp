// Timers fire in order, never early, and leave nothing when they are cancelled.
// SPDX-License-Identifier: MIT
#include "core/timer_heap.hpp"

#include "support/allocations.hpp"
#include "support/async_test.hpp"
#include "support/small_stack.hpp"

#include <asyncio/sleep.hpp>

#include <cmath>
#include <limits>
#include <list>
#include <map>
#include <random>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;
using detail::Ticks;
using detail::TimerHeap;
using detail::TimerNode;

// ---- the structure against a model

// A heap and a multimap that are told the same; `differences` counts where they disagree.
struct Twins {
  TimerHeap heap;
  std::multimap<Ticks, TimerNode*> model;  // keeps the order of insertion among equals
  std::list<TimerNode> nodes;
  int differences = 0;

  void insert(Ticks when) {
    TimerNode& node = nodes.emplace_back(TimerNode::Kind::sleeper);
    heap.insert(node, when);
    model.emplace(when, &node);
  }
  void remove(std::size_t place) {
    const auto victim = std::next(model.begin(), static_cast<std::ptrdiff_t>(place % model.size()));
    heap.remove(*victim->second);
    if (victim->second->armed()) ++differences;
    model.erase(victim);
  }
  void move(std::size_t place, Ticks when) {
    const auto moved = std::next(model.begin(), static_cast<std::ptrdiff_t>(place % model.size()));
    TimerNode* const node = moved->second;
    heap.move(*node, {when, heap.next_order()});
    model.erase(moved);
    model.emplace(when, node);
  }
  void pop() {
    if (&heap.first() != model.begin()->second) ++differences;
    if (heap.first_deadline() != model.begin()->first) ++differences;
    heap.remove(heap.first());
    model.erase(model.begin());
  }
  void compare() {
    if (heap.size() != model.size() || heap.empty() != model.empty()) ++differences;
  }
};

void act_at_random(Twins& twins, int steps, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (int step = 0; step < steps; ++step) {
    const auto dice = random() % 8;
    if (dice < 4 || twins.model.empty()) twins.insert(static_cast<Ticks>(random() % 50));
    else if (dice < 5) twins.remove(random());
    else if (dice < 7) twins.move(random(), static_cast<Ticks>(random() % 50));
    else twins.pop();
    twins.compare();
  }
  while (!twins.model.empty()) twins.pop();
  twins.compare();
}

SYNC_TEST(TimerHeap, "agrees with a multimap over 20,000 random steps [R4] [E4] [E5]") {
  Twins twins;
  act_at_random(twins, 20'000, 1);
  EXPECT_EQ(twins.differences, 0);
}

SYNC_TEST(TimerHeap, "has no first deadline while it is empty [E7]") {
  TimerHeap heap;
  EXPECT_TRUE(heap.empty());
  EXPECT_EQ(heap.first_deadline(), detail::never);
}

SYNC_TEST(TimerHeap, "sorts the end of the clock last [E7]") {
  Twins twins;
  twins.insert(detail::never);
  twins.insert(0);
  twins.insert(-detail::never);
  twins.insert(detail::never - 1);
  twins.pop();
  twins.pop();
  twins.pop();
  twins.pop();
  EXPECT_EQ(twins.differences, 0);
}

// ---- timers of a loop

ASYNC_TEST(Timer, "fires in order of registration among equal deadlines [R4] [E5]") {
  Events events;
  EventLoop& loop = get_running_loop();
  const auto when = loop.now() + 1s;
  loop.call_at(when, [&] { events.push_back("0"); });
  loop.call_at(when, [&] { events.push_back("1"); });
  loop.call_at(when, [&] { events.push_back("2"); });
  loop.call_at(when, [&] { events.push_back("3"); });
  loop.call_at(when, [&] { events.push_back("4"); });
  loop.call_at(when, [&] { events.push_back("5"); });
  co_await sleep(2s);
  EXPECT_EQ(events, (Events{"0", "1", "2", "3", "4", "5"}));
}

ASYNC_TEST(Timer, "fires at its time and not before [R3]") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  auto fired = begin;
  loop.call_later(1500ms, [&] { fired = loop.now(); });
  co_await sleep(1499ms);
  EXPECT_EQ(fired, begin);
  co_await sleep(2ms);
  EXPECT_EQ(fired - begin, 1500ms);
}

ASYNC_TEST(Timer, "fires at its time in the units of any clock [R3]") {
  using Fractions = std::chrono::duration<std::int64_t, std::ratio<1, 4'294'967'296>>;
  using Pulses = std::chrono::duration<std::uint64_t, std::ratio<1, 3'579'545>>;
  const auto begin = get_running_loop().now();
  co_await sleep(std::chrono::duration_cast<Fractions>(30min));
  EXPECT_EQ(get_running_loop().now() - begin, 30min);
  co_await sleep(std::chrono::duration_cast<Pulses>(50h));
  EXPECT_EQ(get_running_loop().now() - begin, 50h + 30min);
}

ASYNC_TEST(Timer, "takes a negative delay for now [R3]") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  bool fired = false;
  loop.call_later(-5s, [&] { fired = true; });
  co_await sleep(0s);
  co_await sleep(0s);
  EXPECT_TRUE(fired);
  EXPECT_EQ(loop.now(), begin);
}

ASYNC_TEST(Timer, "never fires at the end of the clock [R3] [E7]") {
  EventLoop& loop = get_running_loop();
  int fired = 0;
  const auto count = [&] { ++fired; };
  TimerHandle hours = loop.call_later(std::chrono::hours::max(), count);
  TimerHandle nanos = loop.call_later(std::chrono::nanoseconds::max(), count);
  TimerHandle real = loop.call_later(std::chrono::duration<double>(1e300), count);
  TimerHandle infinite = loop.call_later(
      std::chrono::duration<double>(std::numeric_limits<double>::infinity()), count);
  TimerHandle point = loop.call_at(EventLoop::Clock::time_point::max(), count);
  co_await sleep(24h * 365 * 200);
  EXPECT_EQ(fired, 0);
  hours.cancel();
  nanos.cancel();
  real.cancel();
  infinite.cancel();
  point.cancel();
}

ASYNC_TEST(Timer, "points may be reckoned in seconds that are not whole [R3]") {
  EventLoop& loop = get_running_loop();
  const double begin = loop.time();
  double called = 0;
  loop.call_at(loop.now() + 0.5s, [&] { called = loop.time(); });
  co_await sleep_until(loop.now() + 1.5s);
  EXPECT_EQ(called - begin, 0.5);
  EXPECT_EQ(loop.time() - begin, 1.5);
}

// From 104 days on a double has no room for all nanoseconds.
ASYNC_TEST(Timer, "points in double are not early, however long the clock runs [R3]") {
  EventLoop& loop = get_running_loop();
  co_await sleep(24h * 200);
  for (int i = 0; i < 1000; ++i) {
    const auto begin = loop.now();
    co_await sleep_until(begin + std::chrono::duration<double>(1e-3));
    EXPECT_GE(loop.now() - begin, 1ms);
    EXPECT_LT(loop.now() - begin, 1ms + 10ns);
  }
}

ASYNC_TEST(Timer, "a point that is not a number is an error, and lets go of the callback [R3]") {
  EventLoop& loop = get_running_loop();
  const auto point = loop.now() + std::chrono::duration<double>(std::nan(""));
  const auto held = std::make_shared<int>();
  EXPECT_THROW(loop.call_at(point, [held] {}), std::invalid_argument);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_THROW(static_cast<void>(sleep_until(point)), std::invalid_argument);
  co_return;
}

ASYNC_TEST(Timer, "takes the least durations for now, without overflow [R3] [E7]") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  co_await sleep(std::chrono::hours::min());
  co_await sleep(std::chrono::nanoseconds::min());
  co_await sleep(std::chrono::duration<double>(-1e300));
  co_await sleep_until(EventLoop::Clock::time_point::min());
  EXPECT_EQ(loop.now(), begin);
}

ASYNC_TEST(Timer, "sleeps for ever until the end of the clock [E7] [R3]") {
  auto task = create_task(sleep_until(EventLoop::Clock::time_point::max()));
  auto other = create_task(sleep(std::chrono::hours::max()));
  co_await sleep(24h * 365 * 200);
  EXPECT_FALSE(task.done());
  EXPECT_FALSE(other.done());
  task.cancel();
  other.cancel();
  static_cast<void>(co_await task.join());
  static_cast<void>(co_await other.join());
}

ASYNC_TEST(Timer, "refuses a duration that is not a number [R3]") {
  EventLoop& loop = get_running_loop();
  const std::chrono::duration<double> nan(std::nan(""));
  EXPECT_THROW(static_cast<void>(sleep(nan)), std::invalid_argument);
  EXPECT_THROW(loop.call_later(nan, [] {}), std::invalid_argument);
  EXPECT_THROW(Limit{nan}, std::invalid_argument);
  co_return;
}

ASYNC_TEST(Timer, "rounds a fraction of a nanosecond up, so that nothing is early [R3]") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  co_await sleep(std::chrono::duration<double, std::nano>(1.25));
  EXPECT_EQ(loop.now() - begin, 2ns);
}

ASYNC_TEST(Timer, "is gone at once when it is cancelled, with what it holds [R5]") {
  EventLoop& loop = get_running_loop();
  auto held = std::make_shared<int>(0);
  const std::size_t before = loop.metrics().timers;
  TimerHandle timer = loop.call_later(1h, [held] {});
  EXPECT_EQ(loop.metrics().timers, before + 1);
  timer.cancel();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(loop.metrics().timers, before);
  timer.cancel();
  co_return;
}

ASYNC_TEST(Timer, "is not called when it is cancelled in the turn in which it is due [R5]") {
  EventLoop& loop = get_running_loop();
  bool called = false;
  auto held = std::make_shared<int>(0);
  TimerHandle second;
  loop.call_later(1s, [&] { second.cancel(); });
  second = loop.call_later(1s, [&called, held] { called = true; });
  co_await sleep(2s);
  EXPECT_FALSE(called);
  EXPECT_EQ(held.use_count(), 1);
}

ASYNC_TEST(Timer, "does not pile up when a million are armed and cancelled [R5] [E3]") {
  EventLoop& loop = get_running_loop();
  loop.call_later(1h, [] {}).cancel();
  const std::ptrdiff_t before = test::blocks_in_use();
  for (int i = 0; i < 1'000'000; ++i) loop.call_later(1h, [] {}).cancel();
  EXPECT_EQ(loop.metrics().timers, 0u);
  EXPECT_LE(test::blocks_in_use() - before, 1);
  co_return;
}

ASYNC_TEST(Timer, "does not drift over a million periods [E2]") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  for (int i = 1; i <= 1'000'000; ++i) co_await sleep_until(begin + i * 1ms);
  EXPECT_EQ(loop.now() - begin, 1'000'000ms);
}

Coro<> doze(std::uint32_t number, std::int64_t& total) {
  const std::chrono::seconds nap(number * 2654435761u % (24 * 3600));  // Knuth's scattering
  co_await sleep(nap);
  total += nap.count();
}

Coro<> doze_a_hundred_thousand_times() {
  const auto begin = get_running_loop().now();
  std::int64_t total = 0;
  std::vector<Task<>> tasks;
  for (std::uint32_t i = 0; i < 100'000; ++i) tasks.push_back(create_task(doze(i, total)));
  for (Task<>& task : tasks) co_await task;
  EXPECT_GT(get_running_loop().now() - begin, 23h);
  EXPECT_GT(total, 100'000);
}

// In a thread, whose lists of free frames go with it: this one makes long ones.
SYNC_TEST(Timer, "runs 100,000 timers of a virtual day without waiting [E8]") {
  const auto real_begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(test::on_small_stack([] { testing::run(doze_a_hundred_thousand_times()); }));
  EXPECT_LT(std::chrono::steady_clock::now() - real_begin, 1h);
}

ASYNC_TEST(Timer, "wakes sleepers in the order of their deadlines [R3] [R4]") {
  Events events;
  const auto nap = [&](std::chrono::milliseconds time, std::string name) {
    return create_task(
        [&events](std::chrono::milliseconds wait, std::string who) -> Coro<> {
          co_await sleep(wait);
          events.push_back(who);
        },
        {}, time, name);
  };
  auto c = nap(30ms, "c");
  auto a = nap(10ms, "a");
  auto b1 = nap(20ms, "b1");
  auto b2 = nap(20ms, "b2");
  co_await c;
  co_await a;
  co_await b1;
  co_await b2;
  EXPECT_EQ(events, (Events{"a", "b1", "b2", "c"}));
}

ASYNC_TEST(Timer, "leaves the heap with the task that slept [R5]") {
  EventLoop& loop = get_running_loop();
  const std::size_t before = loop.metrics().timers;
  auto task = create_task(sleep(1h));
  co_await sleep(0s);
  EXPECT_EQ(loop.metrics().timers, before + 1);
  task.cancel();
  EXPECT_EQ(loop.metrics().timers, before);
  static_cast<void>(co_await task.join());
}

ASYNC_TEST(Timer, "gives a value after a sleep [R11]") {
  const std::string word = co_await sleep(1s, std::string("awake"));
  EXPECT_EQ(word, "awake");
}

}  // namespace
}  // namespace asyncio
