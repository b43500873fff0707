// However deep the awaits, the native stack stays within 1 MiB, in every build.
// SPDX-License-Identifier: MIT
#include <asyncio/coro.hpp>

#include "support/async_test.hpp"
#include "support/small_stack.hpp"

#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::on_small_stack;

constexpr int deep = 100'000;

Coro<int> one() { co_return 1; }

Coro<int> await_many_ready(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await one();
  co_return sum;
}

Coro<int> await_itself(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await await_itself(depth - 1);
}

Coro<int> then_wait(int depth, Future<> gate) {
  if (depth == 0) {
    co_await gate;
    co_return 0;
  }
  co_return 1 + co_await then_wait(depth - 1, gate);
}

Coro<> then_throw(int depth) {
  if (depth == 0) throw std::runtime_error("from the bottom");
  co_await then_throw(depth - 1);
}

Coro<> sleep_then_throw(int depth) {
  if (depth == 0) {
    co_await sleep(1s);
    throw std::runtime_error("from the bottom");
  }
  co_await sleep_then_throw(depth - 1);
}

SYNC_TEST(Stack, "holds 10 million awaits that complete at once [A1]") {
  EXPECT_TRUE(
      on_small_stack([] { EXPECT_EQ(testing::run(await_many_ready(10'000'000)), 10'000'000); }));
}

SYNC_TEST(Stack, "holds 10 million awaits of a done future [A1] [R11]") {
  EXPECT_TRUE(on_small_stack([] {
    const int sum = testing::run([]() -> Coro<int> {
      auto future = get_running_loop().create_future<int>();
      future.set_result(1);
      int total = 0;
      for (int i = 0; i < 10'000'000; ++i) total += co_await future;
      co_return total;
    }());
    EXPECT_EQ(sum, 10'000'000);
  }));
}

SYNC_TEST(Stack, "holds a chain of 100,000 nested awaits [A2]") {
  EXPECT_TRUE(on_small_stack([] { EXPECT_EQ(testing::run(await_itself(deep)), deep); }));
}

SYNC_TEST(Stack, "holds the completion of such a chain after a real suspension [A3]") {
  EXPECT_TRUE(on_small_stack([] {
    const int depth = testing::run([]() -> Coro<int> {
      auto gate = get_running_loop().create_future<>();
      get_running_loop().call_later(1s, [gate] { gate.set_result(); });
      co_return co_await then_wait(deep, gate);
    }());
    EXPECT_EQ(depth, deep);
  }));
}

SYNC_TEST(Stack, "holds an exception that unwinds such a chain [A5]") {
  EXPECT_TRUE(
      on_small_stack([] { EXPECT_THROW(testing::run(then_throw(deep)), std::runtime_error); }));
}

SYNC_TEST(Stack, "holds an exception after a real suspension [A5] [A3]") {
  EXPECT_TRUE(on_small_stack(
      [] { EXPECT_THROW(testing::run(sleep_then_throw(deep)), std::runtime_error); }));
}

SYNC_TEST(Stack, "holds a cancellation that unwinds such a chain [A4]") {
  EXPECT_TRUE(on_small_stack([] {
    const bool cancelled = testing::run([]() -> Coro<bool> {
      auto gate = get_running_loop().create_future<>();
      auto task = create_task(then_wait(deep, gate));
      co_await sleep(1s);
      task.cancel();
      const auto outcome = co_await task.join();
      co_return outcome.cancelled();
    }());
    EXPECT_TRUE(cancelled);
  }));
}

Coro<> await_task(Task<> task) { co_await task; }

Coro<bool> cancel_a_row_of_tasks() {
  auto last = create_task(sleep(1h));
  auto first = last;
  for (int i = 0; i < deep; ++i) last = create_task(await_task(std::move(last)));
  co_await sleep(1s);
  first.cancel();
  const auto outcome = co_await last.join();
  co_return outcome.cancelled();
}

SYNC_TEST(Stack,
          "holds 100,000 tasks that await each other, and the first is cancelled [A4] [R14]") {
  EXPECT_TRUE(on_small_stack([] { EXPECT_TRUE(testing::run(cancel_a_row_of_tasks())); }));
}

Coro<int> finish_a_row_of_tasks() {
  auto last = create_task(sleep(1s));
  for (int i = 0; i < deep; ++i) last = create_task(await_task(std::move(last)));
  co_await last;
  co_return 1;
}

SYNC_TEST(Stack, "holds 100,000 tasks that await each other to their end [A3]") {
  EXPECT_TRUE(on_small_stack([] { EXPECT_EQ(testing::run(finish_a_row_of_tasks()), 1); }));
}

Coro<int> start_eagerly(int depth) {
  if (depth == 0) co_return 0;
  auto task = create_task(start_eagerly(depth - 1), {.eager_start = true});
  co_return 1 + co_await task;
}

SYNC_TEST(Stack, "holds 100,000 eager starts, one inside the other [A2] [R115]") {
  EXPECT_TRUE(on_small_stack([] { EXPECT_EQ(testing::run(start_eagerly(deep)), deep); }));
}

SYNC_TEST(Stack, "holds the tear-down of a pending loop with such a chain [A4]") {
  EXPECT_TRUE(on_small_stack([] {
    auto loop = new_event_loop();
    auto gate = loop->create_future<>();
    auto task = loop->create_task(then_wait(deep, gate));
    loop->stop();
    loop->run_forever();
    loop->close();
    EXPECT_TRUE(task.cancelled());
  }));
}

#if defined(__clang__)
#pragma clang diagnostic ignored "-Winfinite-recursion"  // it ends at depth 0, by never ending
#endif
Coro<> stubborn(int depth) {
  if (depth > 0) {
    co_await stubborn(depth - 1);
    co_return;
  }
  for (;;) {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
    }
  }
}

SYNC_TEST(Stack, "holds the destruction of a chain that swallows every cancellation [A4] [R73]") {
  EXPECT_TRUE(on_small_stack([] {
    auto loop = new_event_loop();
    auto reports = test::record_reports(*loop);
    auto task = loop->create_task(stubborn(deep));
    loop->stop();
    loop->run_forever();
    loop->close();
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(*reports, (test::Events{"Task was destroyed but it is pending"}));
  }));
}

SYNC_TEST(Stack, "holds the destruction of 100,000 tasks that await each other [A4]") {
  EXPECT_TRUE(on_small_stack([] {
    auto loop = new_event_loop();
    auto last = loop->create_task(sleep(1h));
    for (int i = 0; i < deep; ++i) last = loop->create_task(await_task(std::move(last)));
    loop->stop();
    loop->run_forever();
    loop->close();
    EXPECT_TRUE(last.cancelled());
  }));
}

// Runs a chain that throws and says how long a frame took, at best of three.
template <int depth>
double nanoseconds_per_frame() {
  double best = 1e18;
  for (int round = 0; round < 3; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      testing::run(then_throw(depth));
    } catch (const std::runtime_error&) {
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    best = std::min(best, spent.count() / depth);
  }
  return best;
}

SYNC_TEST(Stack,
          "an exception costs a frame of a deep chain no more than one of a short one [A5]") {
  const double shallow = nanoseconds_per_frame<1'000>();
  const double deepest = nanoseconds_per_frame<100'000>();
  EXPECT_LT(deepest, 20 * shallow);  // quadratic would be 100 times
}

}  // namespace
}  // namespace asyncio
