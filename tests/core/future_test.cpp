// A future is set once, awaited by many, and reports what nobody asked for.
// SPDX-License-Identifier: MIT
#include <asyncio/future.hpp>

#include "support/async_test.hpp"

#include <asyncio/event_loop.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

template <class T = void>
Future<T> make_future() {
  return get_running_loop().create_future<T>();
}

Coro<> fail(std::string text) {
  co_await sleep(0s);
  throw std::runtime_error(text);
}

ASYNC_TEST(Future, "that is done is awaited without suspending [R11]") {
  auto future = make_future<int>();
  future.set_result(5);
  const std::uint64_t turns = get_running_loop().metrics().turns;
  const int value = co_await future;
  EXPECT_EQ(value, 5);
  EXPECT_EQ(get_running_loop().metrics().turns, turns);
}

ASYNC_TEST(Future, "wakes nobody inside set_result [R12]") {
  Events events;
  auto future = make_future();
  auto first = create_task([](Future<> f, Events& log) -> Coro<> {
    co_await f;
    log.push_back("1");
  }(future, events));
  auto second = create_task([](Future<> f, Events& log) -> Coro<> {
    co_await f;
    log.push_back("2");
  }(future, events));
  co_await sleep(0s);
  future.set_result();
  events.push_back("set");
  co_await sleep(0s);
  events.push_back("m");
  EXPECT_EQ(events, (Events{"set", "1", "2", "m"}));
  EXPECT_TRUE(first.done() && second.done());
}

ASYNC_TEST(Future, "refuses a second result, and a result after an error or a cancel [R12a]") {
  auto set = make_future<int>();
  set.set_result(1);
  EXPECT_THROW(set.set_result(2), InvalidStateError);
  EXPECT_THROW(set.set_exception(std::runtime_error("late")), InvalidStateError);
  EXPECT_FALSE(set.cancel());
  EXPECT_EQ(set.result(), 1);
  auto cancelled = make_future<int>();
  cancelled.cancel();
  EXPECT_THROW(cancelled.set_result(2), InvalidStateError);
  EXPECT_FALSE(cancelled.cancel());
  co_return;
}

ASYNC_TEST(Future, "has neither result nor exception while it is pending [R12a]") {
  auto future = make_future<int>();
  EXPECT_THROW(static_cast<void>(future.result()), InvalidStateError);
  EXPECT_THROW(static_cast<void>(future.exception()), InvalidStateError);
  EXPECT_FALSE(future.done());
  future.cancel();
  EXPECT_THROW(static_cast<void>(future.result()), CancelledError);
  EXPECT_THROW(static_cast<void>(future.exception()), CancelledError);
  co_return;
}

ASYNC_TEST(Future, "gives its exception to every awaiter, the same object [R12a]") {
  auto future = make_future();
  future.set_exception(std::runtime_error("shared"));
  std::exception_ptr first;
  std::exception_ptr second;
  try {
    co_await future;
  } catch (...) {
    first = std::current_exception();
  }
  try {
    co_await future;
  } catch (...) {
    second = std::current_exception();
  }
  EXPECT_EQ(first, second);
  EXPECT_EQ(first, future.exception());
}

ASYNC_TEST(Future, "refuses a null exception [R12a]") {
  auto future = make_future();
  EXPECT_THROW(future.set_exception(std::exception_ptr()), std::invalid_argument);
  EXPECT_FALSE(future.done());
  co_return;
}

ASYNC_TEST(Future, "cancelled with a message gives it to its awaiter [R24]") {
  auto future = make_future();
  future.cancel("no longer needed");
  std::string message;
  try {
    co_await future;
  } catch (const CancelledError& error) {
    message = error.message();
  }
  EXPECT_EQ(message, "no longer needed");
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Future, "moves its result out for the last handle [A24]") {
  auto future = make_future<std::unique_ptr<int>>();
  future.set_result(std::make_unique<int>(3));
  const std::unique_ptr<int> value = co_await std::move(future);
  EXPECT_EQ(*value, 3);
}

ASYNC_TEST(Future, "of a reference gives the very object [A24]") {
  int number = 0;
  auto future = make_future<int&>();
  future.set_result(number);
  int& same = co_await future;
  EXPECT_EQ(&same, &number);
}

struct ThrowsInCopy {
  ThrowsInCopy() = default;
  ThrowsInCopy(const ThrowsInCopy&) { throw std::runtime_error("cannot be copied"); }
  ThrowsInCopy& operator=(const ThrowsInCopy&) = delete;
};

ASYNC_TEST(Future, "stays pending when its value throws on the way in [A25]") {
  auto future = make_future<ThrowsInCopy>();
  const ThrowsInCopy value;
  EXPECT_THROW(future.set_result(value), std::runtime_error);
  EXPECT_FALSE(future.done());
  future.cancel();
  co_return;
}

ASYNC_TEST(Future, "throws from an empty handle [A18]") {
  const Future<int> empty;
  EXPECT_FALSE(empty);
  EXPECT_THROW(static_cast<void>(empty.done()), InvalidStateError);
  EXPECT_THROW(empty.set_result(1), InvalidStateError);
  bool refused = false;
  try {
    static_cast<void>(co_await empty);
  } catch (const InvalidStateError&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

ASYNC_TEST(Future, "frees the callbacks it never called, with the last handle [R12] [A24]") {
  auto held = std::make_shared<int>(0);
  {
    auto future = make_future();
    future.add_done_callback([held](Future<>) {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  co_return;
}

ASYNC_TEST(Future, "lives as long as its callback is on its way [R12]") {
  Events events;
  {
    auto future = make_future<int>();
    future.add_done_callback([&](Future<int> f) { events.push_back(std::to_string(f.result())); });
    future.set_result(8);
  }
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"8"}));
}

ASYNC_TEST(Future, "a throwing done callback is reported, the others are called [R81] [B8]") {
  auto reports = test::record_reports();
  Events events;
  auto future = make_future();
  future.add_done_callback([](Future<>) { throw std::runtime_error("boom"); });
  future.add_done_callback([&](Future<>) { events.push_back("second"); });
  future.set_result();
  co_await sleep(0s);
  EXPECT_EQ(*reports, (Events{"Exception in callback: std::runtime_error: boom"}));
  EXPECT_EQ(events, (Events{"second"}));
}

SYNC_TEST(Future, "of another loop cannot be awaited [R7]") {
  auto other = new_event_loop();
  auto foreign = other->create_future<>();
  auto loop = new_event_loop();
  EXPECT_THROW(loop->run_until_complete([](Future<> f) -> Coro<> { co_await f; }(foreign)),
               RuntimeError);
}

SYNC_TEST(Future, "throws when it is set after its loop was closed [R7]") {
  auto loop = new_event_loop();
  auto future = loop->create_future<>();
  loop->close();
  EXPECT_THROW(future.set_result(), RuntimeError);
  loop.reset();
  EXPECT_THROW(future.set_result(), RuntimeError);
  EXPECT_THROW(static_cast<void>(future.get_loop()), RuntimeError);
}

// ---- errors that nobody asks for

ASYNC_TEST(Unretrieved, "error of a task is reported when its last handle goes, not before [R80]") {
  auto reports = test::record_reports();
  auto task = create_task(fail("lost"));
  auto second = task;
  co_await sleep(1s);
  task = {};
  const std::size_t early = reports->size();
  second = {};
  EXPECT_EQ(early, 0u);
  EXPECT_EQ(*reports, (Events{"Task exception was never retrieved: std::runtime_error: lost"}));
}

ASYNC_TEST(Unretrieved, "error of a future is reported when its last handle goes [R80]") {
  auto reports = test::record_reports();
  auto future = make_future();
  future.set_exception(std::runtime_error("lost"));
  future = {};
  EXPECT_EQ(*reports, (Events{"Future exception was never retrieved: std::runtime_error: lost"}));
  co_return;
}

ASYNC_TEST(Unretrieved, "error is not reported once exception() was read [R80]") {
  auto reports = test::record_reports();
  auto task = create_task(fail("read"));
  co_await sleep(1s);
  EXPECT_NE(task.exception(), nullptr);
  task = {};
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Unretrieved, "error is not reported once it was awaited [R80]") {
  auto reports = test::record_reports();
  auto task = create_task(fail("awaited"));
  bool caught = false;
  try {
    co_await task;
  } catch (const std::runtime_error&) {
    caught = true;
  }
  task = {};
  EXPECT_TRUE(caught);
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Unretrieved, "error is reported of a task that was cancelled and failed then [R80]") {
  auto reports = test::record_reports();
  auto task = create_task([]() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
    }
    throw std::runtime_error("in clean-up");
  });
  co_await sleep(0s);
  task.cancel();
  co_await sleep(0s);
  task = {};
  EXPECT_EQ(*reports,
            (Events{"Task exception was never retrieved: std::runtime_error: in clean-up"}));
}

ASYNC_TEST(Unretrieved, "error is not reported of a failed task that is cancelled [R80]") {
  auto reports = test::record_reports();
  {
    auto task = create_task(fail("failed"));
    co_await sleep(1s);
    EXPECT_FALSE(task.cancel());
  }
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Unretrieved, "error of a detached task is reported at its end [R80]") {
  auto reports = test::record_reports();
  create_task(fail("alone")).detach();
  co_await sleep(1s);
  EXPECT_EQ(*reports, (Events{"Task exception was never retrieved: std::runtime_error: alone"}));
}

ASYNC_TEST(Unretrieved, "error of a task is reported that was dropped while it ran [R80]") {
  auto reports = test::record_reports();
  { auto task = create_task(fail("dropped")); }
  co_await sleep(1s);
  EXPECT_EQ(*reports, (Events{"Task exception was never retrieved: std::runtime_error: dropped"}));
}

ASYNC_TEST(Unretrieved, "cancellation is nothing to report [R80]") {
  auto reports = test::record_reports();
  auto task = create_task(sleep(1h));
  co_await sleep(0s);
  task.cancel();
  co_await sleep(0s);
  task = {};
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Unretrieved, "error is reported with the task and its traceback [R80]") {
  std::string name;
  std::size_t lines = 0;
  get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
    name = context.task->get_name();
    lines = context.traceback.size();
  });
  create_task(fail("x"), {.name = "worker"}).detach();
  co_await sleep(1s);
  EXPECT_EQ(name, "worker");
  EXPECT_EQ(lines, 1u);
}

ASYNC_TEST(Unretrieved, "task that still runs is named in debug mode when its last handle goes") {
  get_running_loop().set_debug(true);
  auto reports = test::record_reports();
  {
    auto task = create_task(sleep(1s), {.name = "orphan"});
    co_await sleep(0s);
  }
  EXPECT_EQ(*reports, (Events{"nobody holds task 'orphan' and it still runs"}));
  co_await sleep(2s);
}

ASYNC_TEST(Unretrieved, "task runs on without a handle, to its end") {
  Events events;
  {
    auto task = create_task([](Events& log) -> Coro<> {
      co_await sleep(1s);
      log.push_back("done");
    }(events));
  }
  co_await sleep(2s);
  EXPECT_EQ(events, (Events{"done"}));
}

}  // namespace
}  // namespace asyncio
