// What misuse is told: the action, the object and the advice, word for word.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include "support/async_test.hpp"

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// What a plain function throws.
template <class F>
std::string said_by(F misuse) {
  try {
    static_cast<void>(misuse());
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing";
}

Coro<int> number() { co_return 1; }

ASYNC_TEST(Messages, "of handles and results say what to do instead [L5]") {
  const auto pending = get_running_loop().create_future<int>();
  EXPECT_EQ(said_by([&] { return pending.result(); }),
            "result: it is not done yet; co_await it, or ask done() first");
  pending.set_result(1);
  EXPECT_EQ(said_by([&] { return pending.set_result(2), 0; }),
            "Future::set_result: the future is done already");
  EXPECT_EQ(said_by([] { return Task<int>().done(); }),
            "this handle is empty: it was default-constructed or moved from");
  auto once = number();
  static_cast<void>(co_await std::move(once));
  EXPECT_EQ(said_by([&] { return static_cast<void>(std::move(once).operator co_await()), 0; }),
            "co_await: this coroutine was moved from or awaited already; call the function again "
            "for a new one");
}

SYNC_TEST(Messages, "of loops say where they are missing or at home [L5]") {
  EXPECT_EQ(said_by([] { return create_task(sleep(1s)); }),
            "create_task: no loop runs in this thread; call it from a coroutine or callback, or "
            "use asyncio::run()");
  EXPECT_EQ(said_by([] { return get_running_loop().now(); }),
            "get_running_loop: no loop runs in this thread; call it from a coroutine or "
            "callback");
  const auto loop = new_event_loop();
  loop->close();
  EXPECT_EQ(said_by([&] { return loop->call_soon([] {}); }), "call_soon: the loop is closed");
  testing::run([]() -> Coro<> {
    EXPECT_EQ(said_by([] { return run(number()); }),
              "run: a loop runs in this thread already; await the coroutine, or give it to "
              "create_task()");
    co_return;
  }());
}

ASYNC_TEST(Messages, "of locks, queues and combinators name the call [L5]") {
  Lock lock;
  EXPECT_EQ(said_by([&] { return lock.release(), 0; }),
            "Lock::release: the lock is free; acquire() it first");
  BoundedSemaphore semaphore;
  EXPECT_EQ(said_by([&] { return semaphore.release(), 0; }),
            "BoundedSemaphore::release: no permit is taken; acquire() one first");
  EXPECT_EQ(said_by([] { return Semaphore(-1).locked(); }),
            "Semaphore: the number of permits is negative");
  EXPECT_EQ(said_by([] { return Barrier(0).parties(); }),
            "Barrier: it needs at least one party");
  Queue<int> queue;
  EXPECT_EQ(said_by([&] { return queue.get_nowait(); }),
            "get_nowait: the queue is empty; co_await get() waits for an item");
  EXPECT_EQ(said_by([&] { return queue.task_done(), 0; }),
            "Queue::task_done: called more often than items were put");
  EXPECT_EQ(said_by([] { return ThreadPool(0).workers(); }),
            "ThreadPool: max_workers must be at least 1");
  const auto not_a_number = std::chrono::duration<double>(0.0 / 0.0);
  EXPECT_EQ(said_by([&] { return static_cast<void>(sleep(not_a_number)), 0; }),
            "the duration is not a number (NaN)");
  const ContextVar<int> unset("user");
  EXPECT_EQ(said_by([&] { return unset.get(); }),
            "ContextVar::get: 'user' has no value here and no default; set() it or use "
            "get(fallback)");
  co_return;
}

}  // namespace
}  // namespace asyncio
