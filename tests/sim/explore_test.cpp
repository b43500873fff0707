// explore finds the order in which a program fails, and says how to see it again.
// SPDX-License-Identifier: MIT
#include <asyncio/testing.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/sync.hpp>
#include <asyncio/timeout.hpp>

#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<> add_slowly(int& total) {
  const int before = total;
  co_await sleep(0s);
  total = before + 1;
}

// Right only if the second reads after the first has written.
Coro<> lost_update() {
  int total = 0;
  auto slow = create_task([](int& sum) -> Coro<> {
    co_await sleep(0s);
    co_await sleep(0s);
    co_await add_slowly(sum);
  }(total));
  auto quick = create_task([](int& sum) -> Coro<> {
    co_await add_slowly(sum);
    co_await sleep(0s);
  }(total));
  co_await gather(slow, quick, sleep(0s));
  if (total != 2) throw std::runtime_error("lost an update");
}

// True if `second` may run before `first` in the same turn: an order that only seeds try.
Coro<> needs_order() {
  Events events;
  auto first = create_task([](Events& all) -> Coro<> {
    all.push_back("first");
    co_return;
  }(events));
  auto second = create_task([](Events& all) -> Coro<> {
    all.push_back("second");
    co_return;
  }(events));
  co_await gather(first, second);
  if (events.front() == "second") throw std::runtime_error("out of order");
}

// Sets a variable of the environment for as long as it lives.
struct Environment {
  explicit Environment(const char* value) { ::setenv("ASYNCIO_SEED", value, 1); }
  ~Environment() { ::unsetenv("ASYNCIO_SEED"); }
};

SYNC_TEST(Explore, "is silent where every order is right") {
  int runs = 0;
  testing::explore(
      [&runs] {
        ++runs;
        return lost_update();
      },
      {.seeds = 200});
  EXPECT_EQ(runs, 200);
}

SYNC_TEST(Explore, "finds the order that fails, and prints its seed and how to replay it") {
  EXPECT_THROW(testing::explore([] { return needs_order(); }, {.seeds = 100}), std::runtime_error);
  const std::string said = test::take_stderr();
  EXPECT_NE(said.find("explore: seed "), std::string::npos) << said;
  EXPECT_NE(said.find(" failed: std::runtime_error: out of order\n"), std::string::npos) << said;
  const std::size_t command = said.find("  to replay it: ASYNCIO_SEED=");
  EXPECT_NE(command, std::string::npos) << said;
  EXPECT_NE(said.find(" '", command), std::string::npos) << said;  // this program
}

// What replaying a seed prints, step by step.
std::string trace_of(const char* seed) {
  const Environment replay(seed);
  try {
    testing::explore([] { return needs_order(); });
  } catch (const std::runtime_error&) {
  }
  return test::take_stderr();
}

SYNC_TEST(Explore, "replays one seed, and the same seed gives the same trace [B9]") {
  const std::string trace = trace_of("3");
  EXPECT_NE(trace.find("Task-1 goes on in"), std::string::npos) << trace;
  EXPECT_EQ(trace_of("3"), trace);
  std::set<std::string> traces;
  for (const char* seed : {"1", "2", "3", "4", "5", "6", "7", "8"}) traces.insert(trace_of(seed));
  EXPECT_GT(traces.size(), 1u);
}

// A timeout and the sleep in it end at the same moment: which of them first is open.
SYNC_TEST(Explore, "tries both orders of two timers that are due together [C17]") {
  int timeouts = 0;
  int results = 0;
  testing::explore(
      [&]() -> Coro<> {
        try {
          co_await wait_for(sleep(1s), 1s);
          ++results;
        } catch (const TimeoutError&) {
          ++timeouts;
        }
      },
      {.seeds = 50});
  EXPECT_GT(timeouts, 5);
  EXPECT_GT(results, 5);
}

SYNC_TEST(Explore, "cancels the scenario at any of its moments if asked to") {
  std::set<int> reached;
  testing::explore(
      [&reached]() -> Coro<> {
        for (int i = 0; i < 5; ++i) {
          reached.insert(i);
          co_await sleep(1s);
        }
        reached.insert(5);
      },
      {.seeds = 100, .cancel = true});
  EXPECT_EQ(reached, (std::set<int>{0, 1, 2, 3, 4, 5}));
  int ended = 0;
  testing::explore(
      [&ended]() -> Coro<> {
        co_await sleep(1s);
        co_await sleep(1s);
        ++ended;
      },
      {.seeds = 100, .cancel = true});
  EXPECT_GT(ended, 10);
  EXPECT_LT(ended, 90);
}

SYNC_TEST(Explore, "takes a check that does not throw, and a deadlock, for failures") {
  static bool bad;
  bad = false;
  const auto spoil = []() -> Coro<> {
    bad = true;
    co_return;
  };
  EXPECT_THROW(testing::explore(spoil, {.failed = [] { return bad; }}), RuntimeError);
  EXPECT_NE(test::take_stderr().find("seed 1 failed: a check"), std::string::npos);
  const auto stuck = []() -> Coro<> {
    Event never;
    co_await never.wait();
  };
  EXPECT_THROW(testing::explore(stuck), Deadlock);
  EXPECT_NE(test::take_stderr().find("the loop ran dry"), std::string::npos);
}

}  // namespace
}  // namespace asyncio
