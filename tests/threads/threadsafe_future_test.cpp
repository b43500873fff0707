// run_coroutine_threadsafe and wrap_future: results, errors and cancellations cross; none hangs.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "support/async_test.hpp"

#include <asyncio/context.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<int> give(int n) {
  co_await sleep(0s);
  co_return n;
}
Coro<> wait_for_ever() { co_await get_running_loop().create_future(); }
Coro<int> fail() {
  co_await sleep(0s);
  throw std::out_of_range("too far");
}

// Runs `fn(loop)` in a thread while the loop turns.
template <class F>
Coro<> beside(F fn) {
  EventLoop& loop = get_running_loop();
  co_await to_thread([&] { fn(loop); });
}

// ---- results and errors

ASYNC_TEST(RunCoroutineThreadsafe, "gives the result to another thread, as often as asked") {
  co_await beside([](EventLoop& loop) {
    const ThreadsafeFuture<int> future = run_coroutine_threadsafe(give(7), loop);
    EXPECT_EQ(future.get(), 7);
    EXPECT_EQ(future.get(), 7);
    EXPECT_TRUE(future.done());
    EXPECT_FALSE(future.cancelled());
    EXPECT_FALSE(future.cancel());
  });
}

ASYNC_TEST(RunCoroutineThreadsafe, "takes any awaitable, and runs it in the loop's thread") {
  const auto here = std::this_thread::get_id();
  co_await beside([&](EventLoop& loop) {
    run_coroutine_threadsafe(sleep(0s), loop).get();
    const auto ran_in = run_coroutine_threadsafe(
        []() -> Coro<std::thread::id> { co_return std::this_thread::get_id(); }(), loop);
    EXPECT_EQ(ran_in.get(), here);
  });
}

ASYNC_TEST(RunCoroutineThreadsafe, "moves out what cannot be copied, once") {
  co_await beside([](EventLoop& loop) {
    const auto future = run_coroutine_threadsafe(
        []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); }(), loop);
    EXPECT_EQ(*future.get(), 3);
    EXPECT_THROW(future.get(), InvalidStateError);
  });
}

ASYNC_TEST(RunCoroutineThreadsafe, "brings the exception across [R88]") {
  co_await beside([](EventLoop& loop) {
    const auto future = run_coroutine_threadsafe(fail(), loop);
    EXPECT_THROW(future.get(), std::out_of_range);
    EXPECT_FALSE(future.cancelled());
  });
}

ASYNC_TEST(RunCoroutineThreadsafe, "waits for so long only") {
  co_await beside([](EventLoop& loop) {
    const auto future = run_coroutine_threadsafe(wait_for_ever(), loop);
    EXPECT_FALSE(future.wait_for(1ms));
    EXPECT_FALSE(future.wait_for(-1s));
    future.cancel();
    EXPECT_TRUE(future.wait_for(1h));
  });
  co_await sleep(0s);
}

ASYNC_TEST(RunCoroutineThreadsafe, "carries the context of the thread that posts") {
  ContextVar<std::string> user{"user", "nobody"};
  co_await beside([&](EventLoop& loop) {
    auto scope = user.scoped_set("ada");
    const auto future = run_coroutine_threadsafe(
        [](ContextVar<std::string>& variable) -> Coro<std::string> {
          co_return variable.get();
        }(user),
        loop);
    EXPECT_EQ(future.get(), "ada");
  });
}

ASYNC_TEST(RunCoroutineThreadsafe, "does not let the loop's own thread wait for itself") {
  const auto future = run_coroutine_threadsafe(give(7), get_running_loop());
  EXPECT_THROW(future.get(), RuntimeError);
  while (!future.done()) co_await sleep(0s);
  EXPECT_EQ(future.get(), 7);
}

// ---- cancellation

ASYNC_TEST(RunCoroutineThreadsafe, "a cancellation crosses to the task [R88, C14]") {
  Events events;
  std::atomic<bool> began{false};
  co_await beside([&](EventLoop& loop) {
    const auto future = run_coroutine_threadsafe(
        [](std::atomic<bool>& here, Events& said) -> Coro<> {
          here = true;
          here.notify_all();
          try {
            co_await wait_for_ever();
          } catch (const CancelledError&) {
            said.push_back("cancelled");
            throw;
          }
        }(began, events),
        loop);
    began.wait(false);
    EXPECT_TRUE(future.cancel());
    EXPECT_TRUE(future.done());
    EXPECT_TRUE(future.cancelled());
    EXPECT_THROW(future.get(), CancelledError);
  });
  co_await sleep(0s);
  EXPECT_EQ(events, Events{"cancelled"});
}

ASYNC_TEST(RunCoroutineThreadsafe, "a task cancelled in its loop cancels the future [R88]") {
  co_await beside([](EventLoop& loop) {
    const auto future = run_coroutine_threadsafe(
        []() -> Coro<> {
          current_task()->cancel();
          co_await sleep(0s);
        }(),
        loop);
    EXPECT_THROW(future.get(), CancelledError);
    EXPECT_TRUE(future.cancelled());
  });
}

ASYNC_TEST(RunCoroutineThreadsafe, "cancelled before the loop hears of it, it never begins") {
  bool began = false;
  {
    const auto future = run_coroutine_threadsafe(
        [](bool& here) -> Coro<> {
          here = true;
          co_return;
        }(began),
        get_running_loop());
    EXPECT_TRUE(future.cancel());
  }
  co_await sleep(0s);
  co_await sleep(0s);
  EXPECT_FALSE(began);
}

ASYNC_TEST(RunCoroutineThreadsafe, "what a cancelled task then fails with is reported [R88]") {
  auto reports = test::record_reports();
  std::atomic<bool> began{false};
  co_await beside([&](EventLoop& loop) {
    const auto future = run_coroutine_threadsafe(
        [](std::atomic<bool>& here) -> Coro<> {
          here = true;
          here.notify_all();
          try {
            co_await wait_for_ever();
          } catch (const CancelledError&) {
          }
          throw std::runtime_error("in clean-up");
        }(began),
        loop);
    began.wait(false);
    EXPECT_TRUE(future.cancel());
  });
  co_await sleep(0s);
  EXPECT_EQ(*reports,
            Events{"Task exception was never retrieved: std::runtime_error: in clean-up"});
}

// ---- errors that nobody asks for

const char* const never_retrieved =
    "ThreadsafeFuture exception was never retrieved: std::out_of_range: too far";

ASYNC_TEST(RunCoroutineThreadsafe, "reports an error if nobody has kept the future") {
  auto reports = test::record_reports();
  const auto fail_later = []() -> Coro<> {
    co_await sleep(1s);  // the thread has gone before
    co_await fail();
  };
  co_await beside([&](EventLoop& loop) { run_coroutine_threadsafe(fail_later(), loop); });
  co_await sleep(2s);
  EXPECT_EQ(*reports, Events{never_retrieved});
}

ASYNC_TEST(RunCoroutineThreadsafe, "reports an error when the last who could ask has gone") {
  auto reports = test::record_reports();
  {
    auto future = run_coroutine_threadsafe(fail(), get_running_loop());
    co_await sleep(1s);
    EXPECT_TRUE(future.done());
    EXPECT_EQ(*reports, Events{});
  }
  EXPECT_EQ(*reports, Events{never_retrieved});
}

ASYNC_TEST(RunCoroutineThreadsafe, "reports an error on stderr if it goes in another thread") {
  auto reports = test::record_reports();
  auto future = run_coroutine_threadsafe(fail(), get_running_loop());
  co_await sleep(1s);
  std::thread([last = std::move(future)] {}).join();
  EXPECT_EQ(*reports, Events{});
  EXPECT_EQ(test::take_stderr().find("ThreadsafeFuture exception was never retrieved\nTraceback"),
            0u);
}

// ---- where it cannot work

ASYNC_TEST(RunCoroutineThreadsafe, "a failing task factory is reported to both sides [R88]") {
  auto reports = test::record_reports();
  get_running_loop().set_task_factory(
      [](EventLoop&, const AnyTask&) { throw std::runtime_error("no tasks today"); });
  co_await beside([](EventLoop& loop) {
    EXPECT_THROW(run_coroutine_threadsafe(give(1), loop).get(), std::runtime_error);
  });
  get_running_loop().set_task_factory({});
  EXPECT_EQ(*reports, Events{"Exception in callback: std::runtime_error: no tasks today"});
}

SYNC_TEST(RunCoroutineThreadsafe, "throws if the loop is closed") {
  auto loop = new_event_loop();
  loop->close();
  std::thread([&] {
    EXPECT_THROW(static_cast<void>(run_coroutine_threadsafe(give(1), *loop)), RuntimeError);
  }).join();
}

SYNC_TEST(RunCoroutineThreadsafe, "ends with an error if the loop is closed meanwhile [R88, K8]") {
  auto loop = new_event_loop();
  ThreadsafeFuture<int> never_began;
  std::thread([&] { never_began = run_coroutine_threadsafe(give(1), *loop); }).join();
  EXPECT_FALSE(never_began.done());
  loop->close();
  EXPECT_THROW(never_began.get(), RuntimeError);

  auto other = new_event_loop();
  ThreadsafeFuture<> began;
  other->run_until_complete([&]() -> Coro<> {
    began = run_coroutine_threadsafe(wait_for_ever(), get_running_loop());
    co_await sleep(0s);
  }());
  other.reset();
  EXPECT_THROW(began.get(), CancelledError);
  EXPECT_FALSE(began.cancel());
}

ASYNC_TEST(RunCoroutineThreadsafe, "an empty future says so") {
  const ThreadsafeFuture<int> empty;
  EXPECT_FALSE(empty);
  EXPECT_THROW(empty.get(), InvalidStateError);
  co_return;
}

// ---- callbacks and std::future

ASYNC_TEST(RunCoroutineThreadsafe, "calls back in the loop's thread, or at once if it is done") {
  const auto loop_thread = std::this_thread::get_id();
  co_await beside([&](EventLoop& loop) {
    std::promise<std::thread::id> called_in;
    const auto future = run_coroutine_threadsafe(give(7), loop);
    future.add_done_callback([&](const ThreadsafeFuture<int>& self) {
      EXPECT_EQ(self.get(), 7);
      called_in.set_value(std::this_thread::get_id());
    });
    const auto where = called_in.get_future().get();
    EXPECT_TRUE(where == loop_thread || where == std::this_thread::get_id());
    bool at_once = false;
    future.add_done_callback([&](const ThreadsafeFuture<int>&) { at_once = true; });
    EXPECT_TRUE(at_once);
  });
}

ASYNC_TEST(RunCoroutineThreadsafe, "calls callbacks in order, and reports one that throws") {
  auto reports = test::record_reports();
  Events events;
  const auto future = run_coroutine_threadsafe(give(1), get_running_loop());
  future.add_done_callback([&](const auto&) { events.push_back("first"); });
  future.add_done_callback([](const auto&) { throw std::runtime_error("oops"); });
  future.add_done_callback([&](const auto&) { events.push_back("third"); });
  while (!future.done()) co_await sleep(0s);
  EXPECT_EQ(events, (Events{"first", "third"}));
  EXPECT_EQ(*reports, Events{"Exception in done callback of a ThreadsafeFuture: "
                             "std::runtime_error: oops"});
}

ASYNC_TEST(RunCoroutineThreadsafe, "becomes a std::future") {
  co_await beside([](EventLoop& loop) {
    std::future<int> value = run_coroutine_threadsafe(give(7), loop);
    EXPECT_EQ(value.get(), 7);
    std::future<void> nothing = run_coroutine_threadsafe(sleep(0s), loop);
    nothing.get();
    std::future<int> error = run_coroutine_threadsafe(fail(), loop);
    EXPECT_THROW(error.get(), std::out_of_range);
    const auto cancelled = run_coroutine_threadsafe(wait_for_ever(), loop);
    std::future<void> same = cancelled;
    cancelled.cancel();
    EXPECT_THROW(same.get(), CancelledError);
  });
  co_await sleep(0s);
}

ASYNC_TEST(WrapFuture, "waits for a std::future in a thread of its own") {
  std::promise<int> promise;
  auto wrapped = wrap_future(promise.get_future());
  co_await sleep(0s);
  EXPECT_FALSE(wrapped.done());
  promise.set_value(7);
  const int n = co_await wrapped;
  EXPECT_EQ(n, 7);
}

ASYNC_TEST(WrapFuture, "gives errors, references and nothing at all") {
  std::promise<void> failing;
  failing.set_exception(std::make_exception_ptr(std::out_of_range("too far")));
  auto error = wrap_future(failing.get_future());
  bool threw = false;
  try {
    co_await error;
  } catch (const std::out_of_range&) {
    threw = true;
  }
  EXPECT_TRUE(threw);
  int number = 1;
  std::promise<int&> reference;
  reference.set_value(number);
  int& same = co_await wrap_future(reference.get_future());
  EXPECT_EQ(&same, &number);
  EXPECT_THROW(wrap_future(std::future<int>()), InvalidStateError);
}

ASYNC_TEST(WrapFuture, "does not wait for what it cannot stop when it is cancelled") {
  auto promise = std::make_shared<std::promise<int>>();
  auto wrapped = wrap_future(promise->get_future());
  co_await sleep(0s);
  wrapped.cancel();
  EXPECT_TRUE(wrapped.cancelled());
  promise->set_value(1);
}

}  // namespace
}  // namespace asyncio
