// Types with an operator& of their own, and callables that are aligned more strictly than most.
// SPDX-License-Identifier: MIT
#include <asyncio/event_loop.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/future.hpp>
#include <asyncio/queue.hpp>
#include <asyncio/run.hpp>
#include <asyncio/scope.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>
#include <asyncio/threads.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// ---- operator&

/// Says something else when it is asked for its address.
struct Hidden {
  explicit Hidden(int value) : number(value) {}
  Hidden* operator&() const { return nullptr; }
  bool operator<(const Hidden& other) const { return number < other.number; }
  int number;
  std::string text = "a string that is too long for its own buffer";
};

template <class Items>
void expect_order(std::string expected) {
  Items queue;
  std::string got;
  for (int i = 0; i < 20; ++i) queue.put_nowait(Hidden(i * 7 % 20));
  while (!queue.empty()) got += " " + std::to_string(queue.get_nowait().number);
  EXPECT_EQ(got, expected);
}

SYNC_TEST(Queue, "holds objects with an operator& of their own") {
  expect_order<Queue<Hidden>>(" 0 7 14 1 8 15 2 9 16 3 10 17 4 11 18 5 12 19 6 13");
  expect_order<PriorityQueue<Hidden>>(" 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
  expect_order<LifoQueue<Hidden>>(" 13 6 19 12 5 18 11 4 17 10 3 16 9 2 15 8 1 14 7 0");
}

ASYNC_TEST(Outcome, "refers to objects with an operator& of their own") {
  Hidden hidden(7);
  auto refer = [&]() -> Coro<Hidden&> { co_return hidden; };
  auto tried = co_await try_(refer);
  EXPECT_EQ(tried.value().number, 7);
  auto task = create_task(refer());
  auto joined = co_await task.join();
  EXPECT_EQ(joined.value().number, 7);
}

/// A resource and a body in one, both borrowed.
struct HiddenScope {
  HiddenScope* operator&() const { return nullptr; }
  Coro<> aenter() {
    ++calls;
    co_return;
  }
  Coro<> aexit(std::exception_ptr) {
    ++calls;
    co_return;
  }
  Coro<> operator()(HiddenScope&) {
    ++calls;
    co_return;
  }
  int calls = 0;
};

ASYNC_TEST(With, "borrows a resource and a body with an operator& of their own") {
  HiddenScope scope;
  HiddenScope body;
  co_await with(scope, body);
  EXPECT_EQ(scope.calls, 2);
  EXPECT_EQ(body.calls, 1);
}

struct HiddenError : std::runtime_error {
  using std::runtime_error::runtime_error;
  const HiddenError* operator&() const { return nullptr; }
};

SYNC_TEST(ExceptionGroup, "hands over errors with an operator& of their own") {
  const ExceptionGroup group("group", {std::make_exception_ptr(HiddenError("hidden"))});
  std::string handled;
  const auto rest = group.handle<HiddenError>(
      [&](const HiddenError& error) { handled = error.what(); });
  EXPECT_EQ(handled, "hidden");
  EXPECT_FALSE(rest);
}

// ---- alignment

/// Counts where it finds itself misplaced.
struct alignas(64) Wide {
  explicit Wide(std::atomic<int>& count) : misplaced(&count) {}
  Wide(const Wide& other) : misplaced(other.misplaced) { look(); }
  // Not inlined: the compiler would know the answer.
  [[gnu::noinline]] void look() const {
    if (reinterpret_cast<std::uintptr_t>(this) % 64 != 0) ++*misplaced;
  }
  std::atomic<int>* misplaced;
};

// Not in a coroutine, whose frame would misplace its own. Other callables, one 16 bytes larger than
// the other, move the next block along, so that not all lie well by chance.
template <class Give>
void give_wide(std::atomic<int>& misplaced, Give give) {
  const Wide wide(misplaced);
  const auto aligned = [wide](auto&&...) { wide.look(); };
  const auto small = [room = std::array<char, 16>()](auto&&...) { EXPECT_EQ(room[0], 0); };
  const auto large = [room = std::array<char, 32>()](auto&&...) { EXPECT_EQ(room[0], 0); };
  for (int i = 0; i < 8; ++i) {
    give(aligned);
    give(small);
    give(large);
  }
}

ASYNC_TEST(Loop, "keeps over-aligned callables aligned") {
  std::atomic<int> misplaced = 0;
  EventLoop& loop = get_running_loop();
  give_wide(misplaced, [&](const auto& call) { loop.call_soon(call); });
  EXPECT_EQ(misplaced, 0);
  give_wide(misplaced, [&](const auto& call) { loop.call_later(1s, call); });
  EXPECT_EQ(misplaced, 0);
  give_wide(misplaced, [&](const auto& call) { loop.call_soon_threadsafe(call); });
  EXPECT_EQ(misplaced, 0);
  auto future = loop.create_future<>();
  give_wide(misplaced, [&](const auto& call) { future.add_done_callback(call); });
  EXPECT_EQ(misplaced, 0);
  future.set_result();
  co_await sleep(2s);
  EXPECT_EQ(misplaced, 0);
}

SYNC_TEST(ToThread, "keeps over-aligned functions aligned") {
  std::atomic<int> misplaced = 0;
  std::vector<ToThread<void>> calls;
  give_wide(misplaced, [&](const auto& call) { calls.push_back(to_thread(call)); });
  EXPECT_EQ(misplaced, 0);
  auto loop = new_event_loop();
  for (auto& call : calls) loop->run_until_complete(std::move(call));
  std::vector<Future<>> futures;
  give_wide(misplaced, [&](const auto& call) {
    futures.push_back(loop->run_in_executor(nullptr, call));
  });
  for (const auto& future : futures) loop->run_until_complete(future);
  EXPECT_EQ(misplaced, 0);
}

}  // namespace
}  // namespace asyncio
