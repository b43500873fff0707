// The line that locks, semaphores, events and queues share keeps its order, whoever leaves it.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include "support/async_test.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/wait.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coro<> take_turns(Lock& lock, std::vector<int>& order, int name) {
  for (int round = 0; round < 3; ++round) {
    auto held = co_await lock.scoped_acquire();
    order.push_back(name);
    co_await sleep(0s);
  }
}

ASYNC_TEST(WaitLine, "lets nobody starve: a hundred tasks take turns in strict order [D4]") {
  Lock lock;
  std::vector<int> order;
  std::vector<Task<>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(create_task(take_turns(lock, order, i)));
  co_await gather(tasks);
  std::vector<int> expected;
  for (int i = 0; i < 300; ++i) expected.push_back(i % 100);
  EXPECT_EQ(order, expected);
}

Coro<> pass(Semaphore& semaphore, std::vector<int>& order, int name) {
  co_await semaphore.acquire();
  order.push_back(name);
}

// A model beside it: who waits, in order. Every step adds one, lets one through or cancels one.
ASYNC_TEST(WaitLine, "agrees with a list while waiters come, go on and leave anywhere [D6]") {
  Semaphore semaphore(0);
  std::vector<int> passed;
  std::vector<int> expected;
  std::vector<std::pair<int, Task<>>> waiting;
  std::uint64_t state = 1;
  const auto draw = [&state](std::size_t sides) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % sides;
  };
  for (int step = 0; step < 30'000; ++step) {
    const std::size_t what = waiting.empty() ? 0 : draw(3);
    if (what == 0) {
      waiting.emplace_back(step, create_task(pass(semaphore, passed, step)));
    } else if (what == 1) {
      expected.push_back(waiting.front().first);
      waiting.erase(waiting.begin());
      semaphore.release();
    } else {
      const auto at = waiting.begin() + static_cast<std::ptrdiff_t>(draw(waiting.size()));
      at->second.cancel();
      waiting.erase(at);
    }
    co_await sleep(0s);
  }
  EXPECT_EQ(passed, expected);
  for (auto& [name, task] : waiting) task.cancel();
  co_await sleep(0s);
}

}  // namespace
}  // namespace asyncio
