// The real engine: never early, woken once per sleep, and quiet when there is nothing to do.
// SPDX-License-Identifier: MIT
#include "io/engine.hpp"

#include "base/pooling.hpp"
#include "support/async_test.hpp"
#include "support/fake_world.hpp"

#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <atomic>
#include <fstream>
#include <limits>
#include <string>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using detail::Engine;
using detail::make_epoll_engine;
using detail::Operation;
using detail::ReadyQueue;
using detail::Ticks;
using test::Events;

/// Returns once the kernel says that this thread of ours sleeps.
void wait_until_asleep(pid_t thread) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (char state = 0; state != 'S';) {
    std::ifstream file(path);
    file.ignore(std::numeric_limits<std::streamsize>::max(), ')');
    file >> state;
    ASSERT_TRUE(file) << path;
    std::this_thread::yield();
  }
}

// ---- time

Coro<> sleep_and_check(std::chrono::microseconds time, int& early) {
  EventLoop& loop = get_running_loop();
  const auto due = loop.now() + time;
  co_await sleep(time);
  if (loop.now() < due) ++early;
}

SYNC_TEST(Epoll, "never ends a sleep early: 20,000 of up to 20 ms [E1] [R3]") {
  int early = 0;
  run([](int& count) -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 20'000; ++i) {
      tasks.push_back(create_task(sleep_and_check(std::chrono::microseconds(i), count)));
    }
    for (Task<>& task : tasks) co_await task;
  }(early));
  EXPECT_EQ(early, 0);
}

SYNC_TEST(Epoll, "never ends a sleep of nanoseconds early [E1] [R3]") {
  int early = 0;
  run([](int& count) -> Coro<> {
    for (int i = 0; i < 200; ++i) {
      EventLoop& loop = get_running_loop();
      const auto due = loop.now() + std::chrono::nanoseconds(i * 997);
      co_await sleep_until(due);
      if (loop.now() < due) ++count;
    }
  }(early));
  EXPECT_EQ(early, 0);
}

SYNC_TEST(Epoll, "turns once for a timer, however odd its deadline [B6]") {
  const std::uint64_t turns = run([]() -> Coro<std::uint64_t> {
    const std::uint64_t before = get_running_loop().metrics().turns;
    co_await sleep(10'000'001ns);
    co_return get_running_loop().metrics().turns - before;
  }());
  EXPECT_LE(turns, 3u);
}

SYNC_TEST(Epoll, "counts the time it is asleep, and no other [B6]") {
  const auto start = std::chrono::steady_clock::now();
  const auto asleep = run([]() -> Coro<EventLoop::Clock::duration> {
    co_await sleep(10ms);
    co_return get_running_loop().metrics().asleep;
  }());
  const auto passed = std::chrono::steady_clock::now() - start;
  EXPECT_GT(asleep, 0ms);  // less than 10 ms where the machine was busy before the sleep
  EXPECT_LE(asleep, passed);
}

SYNC_TEST(Epoll, "wakes for an earlier timer that another thread's post has armed [B3]") {
  Events events;
  run([](Events& log) -> Coro<> {
    EventLoop& loop = get_running_loop();
    auto done = loop.create_future<>();
    TimerHandle late = loop.call_later(1h, [&] { log.push_back("late"); });
    const pid_t sleeper = gettid();
    std::thread poster([&] {
      wait_until_asleep(sleeper);
      loop.call_soon_threadsafe([&] {
        loop.call_later(1ms, [&] {
          log.push_back("early");
          done.set_result();
        });
      });
    });
    co_await done;
    poster.join();
    late.cancel();
  }(events));
  EXPECT_EQ(events, (Events{"early"}));
}

// ---- posts

SYNC_TEST(Posts, "ring once for each time the loop sleeps, however many come [B1]") {
  test::FakeLoop fake;
  int called = 0;
  fake.world->while_asleep = [&] {
    std::thread([&] {
      for (int i = 0; i < 100; ++i) fake.loop->call_soon_threadsafe([&] { ++called; });
      fake.loop->call_soon_threadsafe([&] { fake.loop->stop(); });
    }).join();
  };
  fake.loop->call_later(1s, [] {});
  fake.loop->run_forever();
  EXPECT_EQ(called, 100);
  EXPECT_EQ(fake.world->wakes, 1);
}

SYNC_TEST(Posts, "of four threads all arrive, each thread's in order [B1] [R1]") {
  constexpr int each = 5000;
  std::vector<std::vector<int>> seen(4);
  run([](std::vector<std::vector<int>>& all) -> Coro<> {
    EventLoop& loop = get_running_loop();
    auto done = loop.create_future<>();
    int left = 4;
    std::vector<std::thread> threads;
    for (auto& mine : all) {
      threads.emplace_back([&] {
        for (int i = 0; i < each; ++i) {
          loop.call_soon_threadsafe([&mine, i] { mine.push_back(i); });
          if (i % 64 == 0) std::this_thread::yield();  // lets the loop fall asleep
        }
        loop.call_soon_threadsafe([&] {
          if (--left == 0) done.set_result();
        });
      });
    }
    co_await done;
    for (std::thread& thread : threads) thread.join();
  }(seen));
  std::vector<int> expected(each);
  for (int i = 0; i < each; ++i) expected[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(seen, (std::vector<std::vector<int>>(4, expected)));
}

SYNC_TEST(Posts, "that race with close run or throw, and leave nothing [B12]") {
  std::atomic<int> accepted{0};
  std::atomic<int> refused{0};
  auto held = std::make_shared<int>(0);
  for (int round = 0; round < 100; ++round) {
    auto loop = new_event_loop();
    const auto post = [&] {
      for (int i = 0; i < 20; ++i) {
        try {
          loop->call_soon_threadsafe([held] {});
          ++accepted;
        } catch (const RuntimeError&) {
          ++refused;
        }
      }
    };
    std::thread a(post);
    std::thread b(post);
    loop->stop();
    loop->run_forever();
    loop->close();
    a.join();
    b.join();
  }
  EXPECT_EQ(accepted + refused, 100 * 40);
  EXPECT_EQ(held.use_count(), 1);
}

// ---- the engine

struct Note final : Operation {
  int result = -1;
  Note(Kind what, int where) : Operation(what, where) {}
  void completed(int value) noexcept override { result = value; }
};

struct PipePair {
  int ends[2];
  PipePair() {
    if (::pipe(ends) != 0) std::abort();
  }
  PipePair(const PipePair&) = delete;
  PipePair& operator=(const PipePair&) = delete;
  ~PipePair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void put() const {
    const char byte = 'x';
    if (::write(ends[1], &byte, 1) != 1) std::abort();
  }
};

SYNC_TEST(Engine, "completes a wait for a readable descriptor, once") {
  const PipePair pipe;
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  Note reading(Operation::Kind::readable, pipe.ends[0]);
  engine->submit(reading);
  engine->wait(-detail::never, ready);
  const int before = reading.result;
  pipe.put();
  engine->wait(detail::never, ready);
  EXPECT_EQ(before, -1);
  EXPECT_EQ(reading.result, 0);
  reading.result = -1;
  engine->wait(-detail::never, ready);
  EXPECT_EQ(reading.result, -1);
}

SYNC_TEST(Engine, "completes a wait for a writable descriptor") {
  const PipePair pipe;
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  Note writing(Operation::Kind::writable, pipe.ends[1]);
  engine->submit(writing);
  engine->wait(detail::never, ready);
  EXPECT_EQ(writing.result, 0);
}

SYNC_TEST(Engine, "wakes a reader when the other end is closed") {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  Note reading(Operation::Kind::readable, ends[0]);
  engine->submit(reading);
  ::close(ends[1]);
  engine->wait(detail::never, ready);
  ::close(ends[0]);
  EXPECT_EQ(reading.result, 0);
}

SYNC_TEST(Engine, "does not complete what was cancelled") {
  const PipePair pipe;
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  Note reading(Operation::Kind::readable, pipe.ends[0]);
  engine->submit(reading);
  pipe.put();
  engine->cancel(reading);
  engine->cancel(reading);
  engine->wait(-detail::never, ready);
  EXPECT_EQ(reading.result, -1);
}

SYNC_TEST(Engine, "refuses a second reader of one descriptor, and keeps the first") {
  const PipePair pipe;
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  Note first(Operation::Kind::readable, pipe.ends[0]);
  Note second(Operation::Kind::readable, pipe.ends[0]);
  engine->submit(first);
  EXPECT_THROW(engine->submit(second), std::system_error);
  pipe.put();
  engine->wait(detail::never, ready);
  EXPECT_EQ(first.result, 0);
}

// Lets this process have only so many descriptors more than it has.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    const int next = ::dup(STDIN_FILENO);  // the lowest that is free
    ::close(next);
    few.rlim_cur = static_cast<rlim_t>(next) + more;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

SYNC_TEST(Engine, "says what failed when there are no descriptors, and keeps none [L4]") {
  if (!detail::pooling()) GTEST_SKIP() << "UBSan needs a descriptor to look at an object";
  const char* const calls[] = {"epoll_create1", "eventfd"};
  for (rlim_t more = 0; more < 2; ++more) {
    try {
      const FewDescriptors few(more);
      make_epoll_engine();
      ADD_FAILURE() << "there was a descriptor left";
    } catch (const std::system_error& failed) {
      EXPECT_EQ(failed.code(), std::errc::too_many_files_open) << failed.what();
      EXPECT_EQ(std::string(failed.what()).find(calls[more]), 0u) << failed.what();
    }
  }
  make_epoll_engine();
}

SYNC_TEST(Engine, "says so when a descriptor cannot be watched, and forgets it") {
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  Note reading(Operation::Kind::readable, 987654);
  EXPECT_THROW(engine->submit(reading), std::system_error);
  engine->wait(-detail::never, ready);
  EXPECT_EQ(reading.result, -1);
}

SYNC_TEST(Engine, "is woken by wake(), before or during its wait") {
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  engine->wake();
  engine->wait(detail::never, ready);
  const pid_t sleeper = gettid();
  std::thread waker([&] {
    wait_until_asleep(sleeper);
    engine->wake();
  });
  engine->wait(detail::never, ready);
  waker.join();
  EXPECT_TRUE(ready.empty());
}

SYNC_TEST(Engine, "sleeps until its deadline, and not less") {
  ReadyQueue ready;
  auto engine = make_epoll_engine();
  const Ticks deadline = engine->now() + 3'000'001;
  engine->wait(deadline, ready);
  EXPECT_GE(engine->now(), deadline);
}

}  // namespace
}  // namespace asyncio
