// The virtual clock jumps, stands still and gives up when it should; a seed draws one order.
// SPDX-License-Identifier: MIT
#include <asyncio/testing.hpp>

#include "support/async_test.hpp"

#include <asyncio/sleep.hpp>

#include <set>
#include <stdexcept>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

// ---- time

ASYNC_TEST(VirtualClock, "jumps to the next timer, exactly") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  co_await sleep(90min);
  EXPECT_EQ(loop.now() - begin, 90min);
  co_await sleep(1ns);
  EXPECT_EQ(loop.now() - begin, 90min + 1ns);
}

ASYNC_TEST(VirtualClock, "stands still while something is ready") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  auto timer = loop.call_later(1ns, [] {});
  for (int i = 0; i < 1000; ++i) co_await sleep(0s);
  EXPECT_EQ(loop.now(), begin);
  timer.cancel();
}

ASYNC_TEST(VirtualClock, "stands still while work is out in the world, and then jumps") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  auto done = loop.create_future<EventLoop::Clock::duration>();
  bool timer_fired = false;
  loop.call_later(1s, [&] { timer_fired = true; });
  std::thread worker([&loop, &done, begin, hold = loop.hold()] {
    std::this_thread::sleep_for(10ms);
    loop.call_soon_threadsafe([&loop, &done, begin] { done.set_result(loop.now() - begin); });
  });
  const auto stood_at = co_await done;
  const bool fired_meanwhile = timer_fired;
  worker.join();
  co_await sleep(2s);
  EXPECT_EQ(stood_at, 0s);
  EXPECT_FALSE(fired_meanwhile);
  EXPECT_TRUE(timer_fired);
}

ASYNC_TEST(VirtualClock, "goes on when a hold is released without a post") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  std::thread worker([hold = std::make_unique<Hold>(loop.hold())]() mutable {
    std::this_thread::sleep_for(5ms);
    hold.reset();
  });
  co_await sleep(1h);
  worker.join();
  EXPECT_EQ(loop.now() - begin, 1h);
}

ASYNC_TEST(VirtualClock, "does not care for the wall clock [E6]") {
  const auto begin = get_running_loop().now();
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ(get_running_loop().now(), begin);
  co_return;
}

SYNC_TEST(VirtualClock, "starts every run at the same time") {
  const auto first = testing::run([]() -> Coro<double> {
    co_await sleep(1h);
    co_return get_running_loop().time();
  }());
  const auto second = testing::run([]() -> Coro<double> {
    co_await sleep(1h);
    co_return get_running_loop().time();
  }());
  EXPECT_EQ(first, second);
}

// ---- deadlock

template <class F>
std::string deadlock_of(F main) {
  try {
    testing::run(main());
  } catch (const Deadlock& error) {
    return error.what();
  }
  return "no deadlock";
}

Coro<> waits_for_ever(Future<> future) { co_await future; }

SYNC_TEST(Deadlock, "is thrown at once when main waits for what can never happen") {
  const std::string text = deadlock_of([]() -> Coro<> {
    co_await get_running_loop().create_future<>();
  });
  EXPECT_EQ(text.find("the loop ran dry with the main task still waiting"), 0u) << text;
}

SYNC_TEST(Deadlock, "names the tasks that wait, and where") {
  const std::string text = deadlock_of([]() -> Coro<> {
    auto future = get_running_loop().create_future<>();
    auto task = create_task(waits_for_ever(future), {.name = "the stuck one"});
    co_await task;
  });
  EXPECT_NE(text.find("the stuck one waits in "), std::string::npos) << text;
  EXPECT_NE(text.find("waits_for_ever at "), std::string::npos) << text;
  EXPECT_NE(text.find("sim_test.cpp:"), std::string::npos) << text;
}

SYNC_TEST(Deadlock, "does not leak the tasks that hang") {
  auto held = std::make_shared<int>(0);
  const std::string text = deadlock_of([&held]() -> Coro<> {
    auto task = create_task([held]() -> Coro<> {
      co_await get_running_loop().create_future<>();
    });
    co_await task;
  });
  EXPECT_NE(text, "no deadlock");
  EXPECT_EQ(held.use_count(), 1);
}

SYNC_TEST(Deadlock, "is none while a timer is armed, or work is out") {
  EXPECT_EQ(deadlock_of([]() -> Coro<> {
    EventLoop& loop = get_running_loop();
    auto future = loop.create_future<>();
    loop.call_later(24h, [future] { future.set_result(); });
    co_await future;
  }),
            "no deadlock");
}

SYNC_TEST(Deadlock, "is thrown though a task swallows every cancellation") {
  const std::string text = deadlock_of([]() -> Coro<> {
    auto reports = test::record_reports();
    for (;;) {
      try {
        co_await get_running_loop().create_future<>();
      } catch (const CancelledError&) {
      }
    }
  });
  EXPECT_EQ(text.find("the loop ran dry"), 0u) << text;
}

// ---- seeds

Coro<> note(Events& events, std::string name) {
  events.push_back(name);
  co_await sleep(0s);
  events.push_back(name);
}

Coro<Events> order_of_six() {
  Events events;
  std::vector<Task<>> tasks;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    tasks.push_back(create_task(note(events, name)));
  }
  for (Task<>& task : tasks) co_await task;
  co_return events;
}

SYNC_TEST(Seed, "draws the same order every time [B9]") {
  const Events first = testing::run(order_of_six(), {.seed = 7});
  const Events second = testing::run(order_of_six(), {.seed = 7});
  EXPECT_EQ(first, second);
}

SYNC_TEST(Seed, "draws many orders [B9]") {
  std::set<Events> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    orders.insert(testing::run(order_of_six(), {.seed = seed}));
  }
  EXPECT_GE(orders.size(), 18u);
}

SYNC_TEST(Seed, "is needed: without one the order is asyncio's [B9] [R10]") {
  const Events events = testing::run(order_of_six());
  EXPECT_EQ(events, (Events{"a", "b", "c", "d", "e", "f", "a", "b", "c", "d", "e", "f"}));
}

SYNC_TEST(Seed, "leaves callbacks in their order [R1]") {
  const Events events = testing::run(
      []() -> Coro<Events> {
        Events log;
        EventLoop& loop = get_running_loop();
        loop.call_soon([&] { log.push_back("1"); });
        auto a = create_task(sleep(0s));
        loop.call_soon([&] { log.push_back("2"); });
        auto b = create_task(sleep(0s));
        loop.call_soon([&] { log.push_back("3"); });
        co_await a;
        co_await b;
        co_return log;
      }(),
      {.seed = 3});
  EXPECT_EQ(events, (Events{"1", "2", "3"}));
}

SYNC_TEST(Seed, "leaves callbacks that are due together in their order [R4]") {
  const auto due_together = []() -> Coro<Events> {
    Events log;
    EventLoop& loop = get_running_loop();
    std::vector<Task<>> sleepers;
    for (const char* name : {"1", "2", "3", "4"}) {
      loop.call_later(1s, [&log, name] { log.push_back(name); });
      sleepers.push_back(create_task(sleep(1s)));
    }
    for (const Task<>& sleeper : sleepers) co_await sleeper;
    co_await sleep(0s);
    co_return log;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(testing::run(due_together(), {.seed = seed}), (Events{"1", "2", "3", "4"}));
  }
}

}  // namespace
}  // namespace asyncio
