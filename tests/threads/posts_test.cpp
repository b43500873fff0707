// Posts from many threads: none is lost, each wakes at most once, and a loop that closes says so.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "base/pooling.hpp"
#include "support/allocations.hpp"
#include "support/async_test.hpp"
#include "support/fake_world.hpp"

#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

SYNC_TEST(Posts, "wake a loop at most once each time it sleeps, and never while it is awake") {
  test::FakeLoop fake;
  EventLoop& loop = *fake.loop;
  int arrived = 0;
  const auto post = [&] { loop.call_soon_threadsafe([&] { ++arrived; }); };
  std::thread([&] {
    for (int i = 0; i < 10; ++i) post();
  }).join();
  EXPECT_EQ(fake.world->wakes, 0);  // it does not sleep
  loop.run_ready();                 // as a guest, whose host may sleep now
  EXPECT_EQ(arrived, 10);
  std::thread([&] {
    for (int i = 0; i < 10; ++i) post();
  }).join();
  EXPECT_EQ(fake.world->wakes, 1);
  loop.run_ready();
  EXPECT_EQ(arrived, 20);
  EXPECT_EQ(loop.metrics().posts, 20u);
}

ASYNC_TEST(Posts, "run in the order in which a thread posts them [R1]") {
  EventLoop& loop = get_running_loop();
  std::vector<int> order;
  co_await to_thread([&] {
    for (int i = 0; i < 100; ++i) loop.call_soon_threadsafe([&order, i] { order.push_back(i); });
  });
  EXPECT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

// The loop gives blocks back 32 at a time, so it may keep 31 from the threads that post.
SYNC_TEST(Posts, "are made of what the loop has let go of [A21]") {
  test::FakeLoop fake;
  EventLoop& loop = *fake.loop;
  std::uint64_t made = 0;
  for (int round = 0; round < 20; ++round) {
    std::thread([&] {
      const std::uint64_t before = test::allocations();
      for (int i = 0; i < 100; ++i) loop.call_soon_threadsafe([] {});
      made += test::allocations() - before;
    }).join();
    loop.run_ready();
  }
  if (detail::pooling()) EXPECT_LE(made, 100u + 31u);
  else EXPECT_EQ(made, 2000u);
}

// Each thread waits for the answer to its post before it sends the next, so that the loop keeps
// falling asleep: a lost wake-up would be a hang.
SYNC_TEST(Posts, "are not lost between an empty queue and sleep [B1]") {
  constexpr int threads = 3;
  constexpr int rounds = 1500;
  auto loop = new_event_loop();
  std::atomic<int> left{threads};
  std::array<std::atomic<int>, threads> answers{};
  std::vector<std::thread> posters;
  for (std::atomic<int>& answered : answers) {
    posters.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        loop->call_soon_threadsafe([&] {
          ++answered;
          answered.notify_all();
        });
        if (round % 4 == 0) continue;
        for (int seen = answered; seen <= round; seen = answered) answered.wait(seen);
      }
      for (int seen = answered; seen < rounds; seen = answered) answered.wait(seen);
      loop->call_soon_threadsafe([&] {
        if (--left == 0) loop->stop();
      });
    });
  }
  loop->run_forever();
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(loop->metrics().posts, static_cast<std::uint64_t>(threads * (rounds + 1)));
}

SYNC_TEST(Posts, "an earlier timer shortens the sleep that is under way [B3]") {
  auto loop = new_event_loop();
  auto alarm = loop->call_later(1h, [] {});
  std::atomic<int> fired{0};
  std::thread poster([&] {
    for (int round = 0; round < 50; ++round) {
      loop->call_soon_threadsafe([&] {
        loop->call_later(100us, [&] {
          ++fired;
          fired.notify_all();
        });
      });
      fired.wait(round);
    }
    loop->call_soon_threadsafe([&] { loop->stop(); });
  });
  loop->run_forever();
  poster.join();
  alarm.cancel();
}

SYNC_TEST(Posts, "run or throw while the loop closes [B12]") {
  constexpr int loops = 50;
  constexpr int threads = 2;
  std::atomic<EventLoop*> current{nullptr};
  std::atomic<int> turn{0};
  std::atomic<int> finished{0};
  std::vector<std::thread> posters;
  std::vector<int> threw(threads, 0);
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&, i] {
      for (int round = 1; round <= loops; ++round) {
        for (int seen = turn; seen < round; seen = turn) turn.wait(seen);
        try {
          for (;;) current.load()->call_soon_threadsafe([] {});
        } catch (const RuntimeError&) {
          ++threw[static_cast<std::size_t>(i)];
        }
        ++finished;
        finished.notify_all();
      }
    });
  }
  for (int round = 1; round <= loops; ++round) {
    auto loop = new_event_loop();
    current = loop.get();
    turn = round;
    turn.notify_all();
    for (int i = 0; i < round % 7; ++i) loop->run_until_complete(sleep(0s));
    loop->close();
    for (int seen = finished; seen < round * threads; seen = finished) finished.wait(seen);
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(threw, std::vector<int>(threads, loops));
}

ASYNC_TEST(Posts, "another thread cancels a task through the loop [C14]") {
  EventLoop& loop = get_running_loop();
  auto task = create_task(sleep(1h));
  co_await to_thread([&] {
    loop.call_soon_threadsafe([&task] { task.cancel(); });
  });
  co_await task.join();
  EXPECT_TRUE(task.cancelled());
}

SYNC_TEST(Posts, "a hold keeps virtual time still until a thread lets go of it") {
  testing::run([]() -> Coro<> {
    EventLoop& loop = get_running_loop();
    const auto future = loop.create_future<int>();
    std::thread thread([hold = loop.hold(), &loop, &future] {
      std::this_thread::sleep_for(1ms);
      loop.call_soon_threadsafe([&future] { future.set_result(7); });
    });
    const int n = co_await future;
    EXPECT_EQ(n, 7);
    thread.join();
  }());
}

SYNC_TEST(Posts, "reach a loop that another thread is just starting, from whoever made it [B1]") {
  for (int round = 0; round < 200; ++round) {
    const auto loop = new_event_loop();
    bool called = false;
    std::thread runner([&] { loop->run_forever(); });
    loop->call_soon_threadsafe([&] {
      called = true;
      loop->stop();
    });
    runner.join();
    EXPECT_TRUE(called);
  }
}

}  // namespace
}  // namespace asyncio
