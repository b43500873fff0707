// Every operation that waits, cancelled wherever it does, in every order.
// SPDX-License-Identifier: MIT
#pragma once

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/testing.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

namespace asyncio::test {

using namespace std::chrono_literals;

// A comment `// covers: A B` above a test names the awaiters and coroutines of the headers that it
// drives; tools/check_awaitables.py fails the build if one is named by no test.
struct Scenario {
  std::function<Coro<>()> run;
  /// After the end: throws if something is lost, or hangs, which the virtual clock finds.
  std::function<Coro<>()> check;
  /// Forgets what the last run left, also if this one never begins.
  std::function<void()> reset = [] {};

  Coro<> make() const {
    reset();
    return run();
  }
};

inline void require(bool true_that, const char* what) {
  if (!true_that) throw std::runtime_error(what);
}

// Cancelled `turns` turns after it began, by a task that may run before or after all others.
inline Coro<> cancelled_after(const Scenario& scenario, int turns) {
  auto subject = create_task(scenario.make());
  auto canceller = create_task([](Task<> task, int wait) -> Coro<> {
    for (int i = 0; i < wait; ++i) co_await sleep(0s);
    task.cancel();
  }(subject, turns));
  co_await canceller;
  try {
    co_await subject;
  } catch (const CancelledError&) {
  }
  co_await scenario.check();
}

// Together a million schedules in each run of the suite, 50,000 under a sanitizer, and as many as
// ASYNCIO_TEST_ORDERS asks for where `make soak` runs them.
inline std::uint64_t orders_of_each_turn() {
  if (const char* const wish = std::getenv("ASYNCIO_TEST_ORDERS")) {
    return std::strtoull(wish, nullptr, 10);
  }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 250;
#else
  return 5'000;
#endif
}

/// All points and ways, then many orders for each of the first turns.
inline void everywhere(const Scenario& scenario, std::uint64_t orders = orders_of_each_turn()) {
  const auto make = [&] { return scenario.make(); };
  const std::size_t tried = testing::cancel_everywhere(make, scenario.check);
  EXPECT_GE(tried, 10u) << "the scenario never waits";
  for (int turns = 0; turns < 8; ++turns) {
    testing::explore([&] { return cancelled_after(scenario, turns); }, {.seeds = orders});
  }
}

}  // namespace asyncio::test
