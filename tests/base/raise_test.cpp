// Exceptions that go straight to their handler: what the counts say, and when they do not.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/base/raise.hpp>

#include "base/raise_test.hpp"
#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/generator.hpp>
#include <asyncio/queue.hpp>
#include <asyncio/run.hpp>
#include <asyncio/shield.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/sync.hpp>
#include <asyncio/task.hpp>
#include <asyncio/threads.hpp>
#include <asyncio/timeout.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unwind.h>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// How many exceptions `awaitable` raised directly and by unwinding until it was caught.
template <awaitable A>
Coro<detail::RaiseCounts> raises_of(A awaitable) {
  const detail::RaiseCounts before = detail::raise_counts();
  try {
    co_await std::move(awaitable);
  } catch (...) {
  }
  const detail::RaiseCounts after = detail::raise_counts();
  co_return detail::RaiseCounts{after.direct - before.direct, after.unwound - before.unwound};
}

Coro<int> thrower(int depth) {
  if (depth == 0) throw std::runtime_error("deep down");
  co_return co_await thrower(depth - 1);
}

Coro<> sleeper(int depth) {
  if (depth == 0) co_await sleep(1h);
  else co_await sleeper(depth - 1);
}

AsyncGenerator<int> failing() {
  co_yield 1;
  throw std::runtime_error("no more");
}

Coro<> exhaust() {
  auto numbers = failing();
  while (auto number = co_await numbers.next()) EXPECT_EQ(*number, 1);
}

SYNC_TEST(Raise, "passes its own test where the processor and the library are known") {
  // Asked for the way first: the question itself may run the test.
  const bool directly = detail::raises_directly();
  EXPECT_EQ(detail::direct_raise_works(), directly);
#if defined(__x86_64__) && defined(__GLIBCXX__) && !defined(ASYNCIO_PORTABLE_UNWIND)
  EXPECT_TRUE(directly || std::getenv("ASYNCIO_PORTABLE_UNWIND"));
#endif
}

ASYNC_TEST(Raise, "takes an error through ten awaits without unwinding once") {
  if (!detail::raises_directly()) co_return;
  const auto raises = co_await raises_of(thrower(10));
  EXPECT_EQ(raises.direct, 11u);
  EXPECT_EQ(raises.unwound, 0u);
}

ASYNC_TEST(Raise, "takes a timeout's cancellation and error without unwinding once") {
  if (!detail::raises_directly()) co_return;
  const auto raises = co_await raises_of(wait_for(sleeper(5), 1s));
  EXPECT_GE(raises.direct, 7u);
  EXPECT_EQ(raises.unwound, 0u);
}

ASYNC_TEST(Raise, "takes the error of a generator and of a thread without unwinding once") {
  if (!detail::raises_directly()) co_return;
  const auto generator = co_await raises_of(exhaust());
  EXPECT_EQ(generator.unwound, 0u);
  EXPECT_GE(generator.direct, 2u);
  const auto thread = co_await raises_of(to_thread([] { throw std::runtime_error("there"); }));
  EXPECT_EQ(thread.unwound, 0u);
  EXPECT_EQ(thread.direct, 1u);
}

ASYNC_TEST(Raise, "takes the error of a task that nobody else holds without unwinding once") {
  if (!detail::raises_directly()) co_return;
  const auto awaited = co_await raises_of(create_task(thrower(2)));
  EXPECT_EQ(awaited.unwound, 0u);
  EXPECT_EQ(awaited.direct, 3u);
  const auto gathered = co_await raises_of(gather(thrower(2), sleeper(2)));
  EXPECT_EQ(gathered.unwound, 0u);
}

// Cancels what waits in `wait`.
Coro<> expect_direct_cancel(const char* name, Coro<> wait) {
  auto waiter = create_task(std::move(wait));
  co_await sleep(1ms);
  const detail::RaiseCounts before = detail::raise_counts();
  waiter.cancel();
  static_cast<void>(co_await waiter.join());
  const detail::RaiseCounts after = detail::raise_counts();
  EXPECT_GE(after.direct - before.direct, 1u) << name;
  EXPECT_EQ(after.unwound, before.unwound) << name;
}

ASYNC_TEST(Raise, "takes the cancellation of each kind of wait without unwinding once") {
  if (!detail::raises_directly()) co_return;
  auto task = create_task(sleeper(5));
  const AnyTask any = task;
  Lock lock;
  co_await lock.acquire();
  Event event;
  Queue<int> queue;
  co_await expect_direct_cancel("sleep", []() -> Coro<> { co_await sleep(1h); }());
  co_await expect_direct_cancel("task.join()",
                                [](auto& it) -> Coro<> { co_await it.join(); }(task));
  co_await expect_direct_cancel("AnyTask::join()",
                                [](auto& it) -> Coro<> { co_await it.join(); }(any));
  co_await expect_direct_cancel("shield", [](auto& it) -> Coro<> { co_await shield(it); }(task));
  co_await expect_direct_cancel("Lock", [](auto& it) -> Coro<> { co_await it.acquire(); }(lock));
  co_await expect_direct_cancel("Event", [](auto& it) -> Coro<> { co_await it.wait(); }(event));
  co_await expect_direct_cancel("Queue", [](auto& it) -> Coro<> { co_await it.get(); }(queue));
  lock.release();
  task.cancel();
  static_cast<void>(co_await task.join());
}

ASYNC_TEST(Raise, "leaves an error that somebody else holds to the unwinder") {
  auto task = create_task(thrower(0));
  const auto raises = co_await raises_of([](Task<int> held) -> Coro<> { co_await held; }(task));
  EXPECT_GE(raises.unwound, 1u);
  EXPECT_THROW(std::rethrow_exception(task.exception()), std::runtime_error);
}

#if defined(__GLIBCXX__)
// As another language throws.
Coro<> throw_foreign(int& destroyed) {
  struct Witness {
    int& destroyed;
    ~Witness() { ++destroyed; }
  };
  const Witness witness{destroyed};
  static _Unwind_Exception foreign = {};
  foreign.exception_class = 0x464f524549474e00;
  foreign.exception_cleanup = [](_Unwind_Reason_Code, _Unwind_Exception*) {};
  co_await sleep(0s);
  _Unwind_RaiseException(&foreign);
}

ASYNC_TEST(Raise, "makes a RuntimeError of what another language throws") {
  int destroyed = 0;
  try {
    co_await throw_foreign(destroyed);
    ADD_FAILURE() << "nothing came";
  } catch (const RuntimeError& error) {
    EXPECT_NE(std::string(error.what()).find("not of C++"), std::string::npos);
  }
  EXPECT_EQ(destroyed, 1);
}
#endif

PROGRAM(counts_raises) {
  run([]() -> Coro<> {
    const auto raises = co_await raises_of(thrower(3));
    std::printf("%d %d\n", static_cast<int>(raises.direct), static_cast<int>(raises.unwound));
  }());
  return 0;
}

SYNC_TEST(Raise, "is switched off by ASYNCIO_PORTABLE_UNWIND=1") {
  const auto end = test::run_program("counts_raises", {"ASYNCIO_PORTABLE_UNWIND=1"});
  EXPECT_EQ(end.out, "0 4\n");
}

ASYNC_TEST(Raise, "is counted in the loop's metrics") {
  const LoopMetrics before = get_running_loop().metrics();
  co_await raises_of(thrower(2));
  const LoopMetrics after = get_running_loop().metrics();
  EXPECT_EQ(after.raised_directly - before.raised_directly + after.raised_by_unwinding -
                before.raised_by_unwinding,
            3u);
}

}  // namespace
}  // namespace asyncio
