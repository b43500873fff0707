// What runs often allocates nothing, and what cannot allocate fails cleanly.
// SPDX-License-Identifier: MIT
#include <asyncio/task.hpp>

#include "base/pooling.hpp"
#include "support/allocations.hpp"
#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/detail/base/frame_pool.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <thread>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<int> one() { co_return 1; }

// Heap allocations of `turns` rounds of what `work` makes, after one to warm up.
template <class F>
Coro<std::uint64_t> allocations_of(F work) {
  co_await work();
  const std::uint64_t before = test::allocations();
  for (int i = 0; i < 100; ++i) co_await work();
  co_return test::allocations() - before;
}

// Under a sanitizer, and without the pool, each frame is an allocation: of the three kinds of
// frames that a round makes, nothing else may be one.
std::uint64_t at_most(std::uint64_t frames_each) {
  return detail::pooling() ? 0 : frames_each * 100;
}

ASYNC_TEST(Memory, "an await allocates nothing after the first [A21]") {
  const auto count = co_await allocations_of([]() -> Coro<> { co_await one(); });
  EXPECT_LE(count, at_most(2));
}

ASYNC_TEST(Memory, "a yield allocates nothing [A21]") {
  const auto count = co_await allocations_of([]() -> Coro<> { co_await sleep(0s); });
  EXPECT_LE(count, at_most(1));
}

ASYNC_TEST(Memory, "a sleep allocates nothing after the first [A21]") {
  const auto count = co_await allocations_of([]() -> Coro<> { co_await sleep(1s); });
  EXPECT_LE(count, at_most(1));
}

ASYNC_TEST(Memory, "a task allocates nothing but its frame and its state [A21]") {
  const auto count = co_await allocations_of([]() -> Coro<> { co_await create_task(one()); });
  EXPECT_LE(count, at_most(3));
}

ASYNC_TEST(Memory, "a callback and a timer allocate nothing after the first [A21]") {
  const auto count = co_await allocations_of([]() -> Coro<> {
    get_running_loop().call_soon([] {});
    get_running_loop().call_later(1s, [] {}).cancel();
    co_await sleep(0s);
  });
  EXPECT_LE(count, at_most(3));
}

// ---- when there is none left

Coro<int> child_of_child() {
  co_await sleep(1ms);
  co_return co_await one() + 1;
}

SYNC_TEST(Memory, "create_task without memory throws bad_alloc, and schedules nothing [A21]") {
  if (!test::without_frame_pool()) return;
  auto loop = new_event_loop();
  const auto refusals = test::fail_each_allocation([&] {
    auto task = loop->create_task(one, {.name = "a name that needs memory of its own"});
    task.cancel();
  });
  const LoopMetrics after = loop->metrics();
  EXPECT_GE(refusals.bad_alloc, 3);
  EXPECT_EQ(after.tasks_made, 1u);
  EXPECT_EQ(after.ready, 1u);
}

SYNC_TEST(Memory, "create_task fails cleanly at each of its allocations, frames included [A21]") {
  if (!test::without_frame_pool()) return;
  const auto refusals = testing::run([]() -> Coro<test::Refusals> {
    co_return co_await test::await_with_each_allocation_failing([]() -> Coro<> {
      auto task = create_task(child_of_child(), {.name = "a name that needs memory of its own"});
      const int two = co_await task;
      if (two != 2) throw std::runtime_error("wrong result");
    });
  }());
  EXPECT_GE(refusals.bad_alloc, 5);
}

SYNC_TEST(Memory, "a sleep fails cleanly at each of its allocations [A21]") {
  if (!test::without_frame_pool()) return;
  const auto refusals = testing::run([]() -> Coro<test::Refusals> {
    co_return co_await test::await_with_each_allocation_failing(
        []() -> Coro<> { co_await sleep_until(get_running_loop().now() + 1s); });
  }());
  EXPECT_GE(refusals.bad_alloc, 2);
}

SYNC_TEST(Memory, "callbacks and posts fail cleanly at each of their allocations [A21]") {
  if (!test::without_frame_pool()) return;
  auto loop = new_event_loop();
  const auto refusals = test::fail_each_allocation([&] {
    loop->call_soon([] {});
    loop->call_later(1h, [] {}).cancel();
    std::exception_ptr error;
    loop->create_future<int>().add_done_callback([](Future<int>) {});
  });
  EXPECT_GE(refusals.bad_alloc, 4);
  loop->stop();
  loop->run_forever();
}

SYNC_TEST(Memory, "a loop cannot be made without memory, and nothing leaks [A21]") {
  if (!test::without_frame_pool()) return;
  const std::ptrdiff_t before = test::blocks_in_use();
  const auto refusals = test::fail_each_allocation([] { new_event_loop(); });
  EXPECT_GE(refusals.bad_alloc, 3);
  EXPECT_EQ(test::blocks_in_use(), before);
}

SYNC_TEST(Memory, "run fails cleanly at each of its allocations [A21]") {
  if (!test::without_frame_pool()) return;
  const auto refusals = test::fail_each_allocation([] { run(child_of_child()); });
  EXPECT_GE(refusals.bad_alloc, 5);
}

// ---- the lists of frames

struct Payload {
  std::array<char, 200> bytes{};
};

Coro<Payload> make_payload() {
  co_await sleep(0s);
  co_return Payload{};
}

SYNC_TEST(FramePool, "takes frames back from another thread, and from one that is gone [A22]") {
  auto loop = new_event_loop();
  Task<Payload> task;
  std::thread([&] {
    loop->call_soon([&] {
      task = create_task(make_payload());
      loop->stop();
    });
    loop->run_forever();
  }).join();
  loop->run_until_complete(task);  // made there, ended and freed here
  task = {};
  loop.reset();
  std::thread([] { run(make_payload()); }).join();
  EXPECT_EQ(run([]() -> Coro<int> { co_return co_await one(); }()), 1);
}

// At namespace scope, so that each thread that uses it also registers its destructor.
thread_local std::optional<Coro<>> late;

PROGRAM(frees_frames_in_thread_local_destructors) {
  std::thread([] { late.emplace([]() -> Coro<> { co_return; }()); }).join();
  late.emplace([]() -> Coro<> { co_return; }());
  run([]() -> Coro<> { co_await one(); }());
  return 0;
}

SYNC_TEST(FramePool, "takes frames back from the destructors of a thread that ends [A22]") {
  const test::ProcessEnd end = test::run_program("frees_frames_in_thread_local_destructors");
  EXPECT_EQ(end.code, 0) << end.err;
  const std::size_t first = end.err.find("was never awaited");
  EXPECT_NE(first, std::string::npos);
  EXPECT_NE(end.err.find("was never awaited", first + 1), std::string::npos);
}

SYNC_TEST(FramePool, "gives a freed block to the next frame of its size [A22]") {
  if (!detail::pooling()) return;
  void* const first = detail::frame_allocate(100);
  detail::frame_free(first, 100);
  void* const second = detail::frame_allocate(97);
  detail::frame_free(second, 97);
  EXPECT_EQ(first, second);
}

SYNC_TEST(FramePool, "serves sizes at and beyond its largest class [A22]") {
  const std::ptrdiff_t before = detail::frames_in_use();
  void* const largest = detail::frame_allocate(1024);
  void* const larger = detail::frame_allocate(1025);
  void* const huge = detail::frame_allocate(1 << 20);
  EXPECT_EQ(detail::frames_in_use(), before + 3);
  detail::frame_free(largest, 1024);
  detail::frame_free(larger, 1025);
  detail::frame_free(huge, 1 << 20);
  EXPECT_EQ(detail::frames_in_use(), before);
}

// Nothing else says whether the sanitizer would see a frame that is used after its end.
PROGRAM(reads_a_freed_frame) {
  auto coro = one();
  const auto frame = detail::CoroAccess::release(coro);
  frame.destroy();
  return detail::PromiseBase::promise_of(frame).parent != nullptr;
}

SYNC_TEST(Memory, "address sanitizer sees a frame that is used after its end") {
#if defined(__SANITIZE_ADDRESS__)
  const auto end = test::run_program("reads_a_freed_frame");
  EXPECT_NE(end.code, 0);
  EXPECT_NE(end.err.find("heap-use-after-free"), std::string::npos) << end.err;
#else
  GTEST_SKIP() << "needs the build with address sanitizer";
#endif
}

// ---- exceptions in flight

// Chunks of 256 KiB, from which frames and tasks are cut; what else was allocated counts as one.
std::uint64_t chunks_for(std::uint64_t bytes) { return bytes / (256 * 1024) + 1; }

ASYNC_TEST(Memory, "100,000 sleeping tasks take 256 bytes each, and end in one step each [L6]") {
  constexpr int count = 100'000;
  std::vector<Task<>> tasks;
  tasks.reserve(count);
  const auto sleeper = []() -> Coro<> { co_await sleep(1h); };
  const std::uint64_t allocations_before = test::allocations();
  for (int i = 0; i < count; ++i) tasks.push_back(create_task(sleeper()));
  co_await sleep(0s);
  const std::uint64_t made = test::allocations() - allocations_before;
  const auto before = get_running_loop().metrics();
  for (auto& task : tasks) task.cancel();
  co_await sleep(0s);
  const auto after = get_running_loop().metrics();
  EXPECT_EQ(after.tasks_alive, 1u);
  EXPECT_EQ(after.callbacks - before.callbacks, count + 1u);
  EXPECT_EQ(after.timers, 0u);
  constexpr std::uint64_t heap_growth = 32;  // the heap's array doubles
  EXPECT_LE(detail::pooling() ? made : 0, chunks_for(count * 256) + heap_growth);
}

ASYNC_TEST(Memory, "a million tasks that come and go take no more memory than the first [L7]") {
  const auto some = []() -> Coro<> {
    std::vector<Task<int>> tasks;
    tasks.reserve(100);
    for (int i = 0; i < 100; ++i) tasks.push_back(create_task(one()));
    for (auto& task : tasks) static_cast<void>(co_await task);
  };
  co_await some();
  const std::ptrdiff_t before = test::blocks_in_use();
  const std::uint64_t made = test::allocations();
  for (int i = 0; i < 10'000; ++i) co_await some();
  EXPECT_EQ(test::blocks_in_use(), before);
  const std::uint64_t vectors = 10'000;
  EXPECT_EQ(detail::pooling() ? test::allocations() - made : vectors, vectors);
}

ASYNC_TEST(Memory, "each task sees its own exception while another is in clean-up [A23]") {
  Events events;
  auto first = create_task([](Events& log) -> Coro<> {
    std::exception_ptr caught;
    try {
      throw std::runtime_error("first");
    } catch (...) {
      caught = std::current_exception();
    }
    co_await sleep(1s);
    log.push_back(std::current_exception() ? "leaked" : "none");
    std::rethrow_exception(caught);
  }(events));
  auto second = create_task([](Events& log) -> Coro<> {
    co_await sleep(0s);
    try {
      throw std::runtime_error("second");
    } catch (const std::runtime_error& error) {
      log.push_back(error.what());
    }
    log.push_back(std::to_string(std::uncaught_exceptions()));
  }(events));
  co_await second;
  const auto outcome = co_await first.join();
  EXPECT_THROW(outcome.value(), std::runtime_error);
  EXPECT_EQ(events, (Events{"second", "0", "none"}));
}

}  // namespace
}  // namespace asyncio
