// What a program does all day allocates nothing once the free lists are warm.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include "base/pooling.hpp"
#include "support/allocations.hpp"
#include "support/async_test.hpp"

#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// Allocations of the second hundred rounds; the first hundred warm up. None is counted where every
// frame comes from operator new.
template <class F>
Coro<std::uint64_t> allocations_of(F round) {
  for (int i = 0; i < 100; ++i) co_await round();
  const std::uint64_t before = test::allocations();
  for (int i = 0; i < 100; ++i) co_await round();
  co_return detail::pooling() ? test::allocations() - before : 0;
}

Coro<int> at_once() { co_return 1; }
Coro<> next_hour() { co_await sleep(1h); }
Coro<int> next_turn() {
  co_await sleep(0s);
  co_return 1;
}

ASYNC_TEST(NoAllocation, "by awaiting a coroutine") {
  const auto made = co_await allocations_of([]() -> Coro<> { co_await at_once(); });
  EXPECT_EQ(made, 0u);
}

ASYNC_TEST(NoAllocation, "by yielding") {
  const auto made = co_await allocations_of([]() -> Coro<> { co_await sleep(0s); });
  EXPECT_EQ(made, 0u);
}

ASYNC_TEST(NoAllocation, "by sleeping") {
  const auto made = co_await allocations_of([]() -> Coro<> {
    co_await sleep(1s);
    co_await sleep(1s, 7);
    co_await sleep_until(get_running_loop().now() + 1s);
  });
  EXPECT_EQ(made, 0u);
}

ASYNC_TEST(NoAllocation, "by a timeout that is not needed") {
  const auto made = co_await allocations_of([]() -> Coro<> {
    co_await timeout(5s, []() -> Coro<> { co_await sleep(0s); });
    co_await move_on_after(5s, []() -> Coro<> { co_await sleep(0s); });
  });
  EXPECT_EQ(made, 0u);
}

ASYNC_TEST(NoAllocation, "by wait_for around what ends in time") {
  const auto made = co_await allocations_of([]() -> Coro<> {
    co_await wait_for(next_turn(), 5s);
    co_await wait_for(sleep(1s), 5s);
  });
  EXPECT_EQ(made, 0u);
}

ASYNC_TEST(NoAllocation, "by spawning and awaiting a task") {
  const auto made = co_await allocations_of([]() -> Coro<> {
    auto task = create_task(next_turn());
    co_await task;
  });
  EXPECT_EQ(made, 0u);
}

ASYNC_TEST(NoAllocation, "by gather and race of arguments") {
  const auto made = co_await allocations_of([]() -> Coro<> {
    co_await gather(next_turn(), next_turn());
    co_await race(next_turn(), next_turn());
  });
  EXPECT_EQ(made, 0u);
}

ASYNC_TEST(NoAllocation, "by a future and its waiter") {
  const auto made = co_await allocations_of([]() -> Coro<> {
    auto future = get_running_loop().create_future<int>();
    get_running_loop().call_soon([=] { future.set_result(1); });
    co_await future;
  });
  EXPECT_EQ(made, 0u);
}

// What waking, cancelling and closing allocate.
std::uint64_t allocations_of_ends() {
  auto loop = new_event_loop();
  Event event;
  Queue<int> queue(1);
  queue.put_nowait(0);  // its first room
  queue.get_nowait();
  std::vector<Task<>> woken, cancelled, closed;
  const auto waits = [&](int how) -> Coro<> {
    if (how == 0) co_await event.wait();
    if (how == 1) static_cast<void>(co_await queue.get());
    if (how == 2) co_await sleep(1h);
    if (how == 3) co_await timeout(1h, [] { return next_hour(); });
    if (how == 4) co_await gather(next_hour(), next_hour());
  };
  loop->run_until_complete([&]() -> Coro<> {
    for (int how = 0; how < 2; ++how) woken.push_back(create_task(waits(how)));
    for (int how = 0; how < 5; ++how) cancelled.push_back(create_task(waits(how)));
    for (int how = 2; how < 5; ++how) closed.push_back(create_task(waits(how)));
    co_await sleep(0s);
    co_await sleep(0s);
  }());
  const std::uint64_t before = test::allocations();
  event.set();
  queue.put_nowait(1);
  for (const auto& task : cancelled) task.cancel();
  for (int turn = 0; turn < 6; ++turn) loop->run_ready();
  loop->close();
  const std::uint64_t made = test::allocations() - before;
  for (const auto& task : woken) EXPECT_TRUE(task.done() && !task.cancelled());
  for (const auto& task : cancelled) EXPECT_TRUE(task.cancelled());
  for (const auto& task : closed) EXPECT_TRUE(task.cancelled());
  return made;
}

SYNC_TEST(NoAllocation, "by waking, cancelling and closing [L3]") {
  allocations_of_ends();
  const std::uint64_t made = allocations_of_ends();
  EXPECT_EQ(detail::pooling() ? made : 0, 0u);  // the chains of errors are pooled
}

}  // namespace
}  // namespace asyncio
