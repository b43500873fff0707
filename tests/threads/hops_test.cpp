// A million ways to a thread and back, by every awaiter that crosses threads.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/run.hpp>

#include <vector>

namespace asyncio {
namespace {

// Half of all ways by each of the two.
constexpr int travellers = 50;
constexpr int ways = 10'000;

int one_more(int n) { return n + 1; }

// A frame for each way, freed when it is back.
Coro<int> hop_by_to_thread(int n) { co_return co_await to_thread(one_more, n); }
Coro<int> hop_by_executor(ThreadPool& pool, int n) {
  co_return co_await get_running_loop().run_in_executor(&pool, one_more, n);
}

Coro<int> travel_by_to_thread() {
  int n = 0;
  while (n < ways) n = co_await hop_by_to_thread(n);
  co_return n;
}
Coro<int> travel_by_executor(ThreadPool& pool) {
  int n = 0;
  while (n < ways) n = co_await hop_by_executor(pool, n);
  co_return n;
}

Coro<long> travel() {
  ThreadPool pool(1);
  std::vector<Coro<int>> all;
  for (int i = 0; i < travellers; ++i) {
    all.push_back(travel_by_to_thread());
    all.push_back(travel_by_executor(pool));
  }
  const std::vector<int> arrived = co_await gather(std::move(all));
  long sum = 0;
  for (const int n : arrived) sum += n;
  co_return sum;
}

// Without pools that keep the blocks, a sanitizer sees who touches a frame after it was freed.
SYNC_TEST(Threads, "a million ways there and back: nobody touches an awaiter that is out [A6]") {
  if (!test::without_frame_pool()) return;
  EXPECT_EQ(asyncio::run(travel()), 2L * travellers * ways);
}

}  // namespace
}  // namespace asyncio
