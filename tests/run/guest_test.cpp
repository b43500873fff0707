// The loop as a guest of somebody else's: a plain poll(2) loop, twenty times.
// SPDX-License-Identifier: MIT
#include <asyncio/event_loop.hpp>

#include "support/async_test.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/threads.hpp>
#include <asyncio/timeout.hpp>

#include <algorithm>
#include <functional>
#include <poll.h>
#include <stdexcept>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

// A host with an event loop of its own, which knows nothing but a descriptor and a deadline.
struct Host {
  std::unique_ptr<EventLoop> guest = new_event_loop();
  int naps = 0;

  bool readable(int milliseconds = 0) const {
    pollfd ear{guest->fileno(), POLLIN, 0};
    return ::poll(&ear, 1, milliseconds) == 1;
  }
  // Sleeps as long as the guest allows.
  void nap() {
    ++naps;
    int milliseconds = -1;
    if (const auto when = guest->next_deadline()) {
      const auto ahead = std::max(*when - guest->now(), EventLoop::Clock::duration(0));
      milliseconds = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(ahead).count());
    }
    readable(milliseconds);
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      nap();
      guest->run_ready();
    }
  }
  // Runs `main` in the guest, and gives or throws what it does.
  template <class A>
  auto run(A main) {
    auto task = guest->create_task(std::move(main));
    run_until([&] { return task.done(); });
    return std::move(task).result();
  }
};

// ---- time

SYNC_TEST(Guest, "sleeps, and is not early [R3]") {
  Host host;
  const auto begin = host.guest->now();
  host.run(sleep(20ms));
  EXPECT_GE(host.guest->now() - begin, 20ms);
}

SYNC_TEST(Guest, "wakes sleepers in the order of their deadlines [R3]") {
  Host host;
  Events events;
  const auto nap = [](Events& log, std::chrono::milliseconds time, std::string name) -> Coro<> {
    co_await sleep(time);
    log.push_back(name);
  };
  host.run(gather(nap(events, 15ms, "c"), nap(events, 5ms, "a"), nap(events, 10ms, "b")));
  EXPECT_EQ(events, (Events{"a", "b", "c"}));
}

SYNC_TEST(Guest, "calls call_soon before call_later, and call_later not early [R1] [R3]") {
  Host host;
  Events events;
  const auto begin = host.guest->now();
  host.guest->call_later(10ms, [&] { events.push_back("later"); });
  host.guest->call_soon([&] { events.push_back("soon"); });
  host.run_until([&] { return events.size() == 2; });
  EXPECT_EQ(events, (Events{"soon", "later"}));
  EXPECT_GE(host.guest->now() - begin, 10ms);
}

SYNC_TEST(Guest, "times out what takes too long [R33]") {
  Host host;
  EXPECT_THROW(host.run([]() -> Coro<> { co_await wait_for(sleep(1h), 10ms); }()), TimeoutError);
}

SYNC_TEST(Guest, "times out a body, after its clean-up [R38]") {
  Host host;
  Events events;
  EXPECT_THROW(host.run([](Events& log) -> Coro<> {
    const auto body = [&log]() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        log.push_back("cleaned");
        throw;
      }
    };
    co_await timeout(10ms, body);
  }(events)),
               TimeoutError);
  EXPECT_EQ(events, (Events{"cleaned"}));
}

SYNC_TEST(Guest, "does not time out what is fast enough [R33]") {
  Host host;
  const auto main = []() -> Coro<int> { co_return co_await wait_for(sleep(1ms, 42), 1h); };
  EXPECT_EQ(host.run(main()), 42);
  EXPECT_EQ(host.guest->metrics().timers, 0u);
}

// ---- tasks

SYNC_TEST(Guest, "cancels a task from the host [R13]") {
  Host host;
  auto task = host.guest->create_task(sleep(1h));
  host.guest->run_ready();
  task.cancel();
  host.run_until([&] { return task.done(); });
  EXPECT_TRUE(task.cancelled());
}

SYNC_TEST(Guest, "runs tasks in the order they were made [R10]") {
  Host host;
  Events events;
  const auto say = [](Events& log, std::string word) -> Coro<> {
    log.push_back(word);
    co_return;
  };
  auto a = host.guest->create_task(say(events, "a"));
  auto b = host.guest->create_task(say(events, "b"));
  host.run_until([&] { return a.done() && b.done(); });
  EXPECT_EQ(events, (Events{"a", "b"}));
}

SYNC_TEST(Guest, "hands a task's error to the host [R12a]") {
  Host host;
  EXPECT_THROW(host.run([]() -> Coro<> {
    co_await sleep(1ms);
    throw std::runtime_error("boom");
  }()),
               std::runtime_error);
}

SYNC_TEST(Guest, "gathers results in order [R25]") {
  Host host;
  const auto main = []() -> Coro<int> {
    const auto [a, b] = co_await gather(sleep(4ms, 40), sleep(1ms, 2));
    co_return a + b;
  };
  EXPECT_EQ(host.run(main()), 42);
}

SYNC_TEST(Guest, "runs a task group to its end [R45]") {
  Host host;
  int sum = 0;
  host.run([](int& total) -> Coro<> {
    const auto body = [&total](TaskGroup& group) -> Coro<> {
      const auto add = [](int& to, int n) -> Coro<> {
        co_await sleep(1ms);
        to += n;
      };
      group.create_task(add(total, 40));
      group.create_task(add(total, 2));
      co_return;
    };
    co_await task_group(body);
  }(sum));
  EXPECT_EQ(sum, 42);
}

SYNC_TEST(Guest, "goes on when the host sets a future [R12]") {
  Host host;
  auto future = host.guest->create_future<int>();
  auto task = host.guest->create_task(future);
  host.guest->run_ready();
  future.set_result(42);
  EXPECT_FALSE(task.done());
  host.run_until([&] { return task.done(); });
  EXPECT_EQ(task.result(), 42);
}

// ---- threads

SYNC_TEST(Guest, "fetches the result of a thread [R86]") {
  Host host;
  const auto job = [] { return 42; };
  EXPECT_EQ(host.run([](auto work) -> Coro<int> { co_return co_await to_thread(work); }(job)), 42);
}

SYNC_TEST(Guest, "is woken out of a sleep without end by a post [B1]") {
  Host host;
  bool called = false;
  host.guest->run_ready();
  std::thread poster([&] {
    std::this_thread::sleep_for(5ms);
    host.guest->call_soon_threadsafe([&] { called = true; });
  });
  host.run_until([&] { return called; });
  poster.join();
  EXPECT_TRUE(called);
}

// True if the descriptor becomes readable.
bool wakes(int descriptor) {
  pollfd asked{descriptor, POLLIN, 0};
  return ::poll(&asked, 1, 10'000) == 1;
}

SYNC_TEST(Guest, "is woken by a post before it has run at all [B1]") {
  const auto loop = new_event_loop();
  const int descriptor = loop->fileno();
  bool called = false;
  std::thread([&] { loop->call_soon_threadsafe([&] { called = true; }); }).join();
  EXPECT_TRUE(wakes(descriptor));
  loop->run_ready();
  EXPECT_TRUE(called);
}

SYNC_TEST(Guest, "is woken by a post after it has run by itself [B1]") {
  const auto loop = new_event_loop();
  const int descriptor = loop->fileno();
  loop->run_until_complete(sleep(0s));
  bool called = false;
  std::thread([&] { loop->call_soon_threadsafe([&] { called = true; }); }).join();
  EXPECT_TRUE(wakes(descriptor));
  loop->run_ready();
  EXPECT_TRUE(called);
}

SYNC_TEST(Guest, "keeps the order of a thousand posts [R1] [B1]") {
  Host host;
  std::vector<int> seen;
  host.guest->run_ready();
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) {
      host.guest->call_soon_threadsafe([&seen, i] { seen.push_back(i); });
    }
  });
  host.run_until([&] { return seen.size() == 1000; });
  poster.join();
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

SYNC_TEST(Guest, "is quiet again after a post was taken: the host can sleep [B6]") {
  Host host;
  host.guest->run_ready();
  std::thread([&] { host.guest->call_soon_threadsafe([] {}); }).join();
  EXPECT_TRUE(host.readable());
  host.guest->run_ready();
  EXPECT_FALSE(host.readable());
}

// ---- what the host is told

SYNC_TEST(Guest, "never sleeps in run_ready [R2]") {
  Host host;
  host.guest->call_later(1h, [] {});
  EXPECT_FALSE(host.guest->run_ready());
  EXPECT_EQ(host.guest->metrics().asleep, 0s);
}

SYNC_TEST(Guest, "says when it has to be called again [R3]") {
  Host host;
  EXPECT_FALSE(host.guest->next_deadline().has_value());
  TimerHandle timer = host.guest->call_later(1h, [] {});
  EXPECT_EQ(host.guest->next_deadline(), timer.when());
  host.guest->call_soon([] {});
  const auto at_once = host.guest->next_deadline();
  EXPECT_LE(*at_once, host.guest->now());
  host.guest->run_ready();
  EXPECT_EQ(host.guest->next_deadline(), timer.when());
}

SYNC_TEST(Guest, "does no more than its budget, and says that something is left [B5]") {
  Host host;
  Events events;
  host.guest->call_soon([&] { events.push_back("1"); });
  host.guest->call_soon([&] { events.push_back("2"); });
  host.guest->call_soon([&] { events.push_back("3"); });
  EXPECT_TRUE(host.guest->run_ready(2));
  EXPECT_EQ(events, (Events{"1", "2"}));
  EXPECT_FALSE(host.guest->run_ready(2));
  EXPECT_EQ(events, (Events{"1", "2", "3"}));
}

SYNC_TEST(Guest, "runs one batch at a time: what that makes ready is left for the next [R2]") {
  Host host;
  Events events;
  host.guest->call_soon([&] {
    events.push_back("first");
    host.guest->call_soon([&] { events.push_back("second"); });
  });
  EXPECT_TRUE(host.guest->run_ready());
  EXPECT_EQ(events, (Events{"first"}));
  EXPECT_FALSE(host.guest->run_ready());
  EXPECT_EQ(events, (Events{"first", "second"}));
}

SYNC_TEST(Guest, "does not turn while it sleeps [B6]") {
  Host host;
  host.run(sleep(20ms));
  EXPECT_LE(host.naps, 6);
}

SYNC_TEST(Guest, "lets SystemExit through to the host [R77]") {
  Host host;
  host.guest->call_soon([] { throw SystemExit{1}; });
  EXPECT_THROW(host.guest->run_ready(), SystemExit);
  EXPECT_FALSE(host.guest->run_ready());
}

SYNC_TEST(Guest, "refuses to be run inside of itself [B7]") {
  Host host;
  bool refused = false;
  host.guest->call_soon([&] {
    try {
      host.guest->run_ready();
    } catch (const RuntimeError&) {
      refused = true;
    }
  });
  host.guest->run_ready();
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace asyncio
