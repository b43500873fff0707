// run_in_executor, the default executor, and what becomes of its calls when the loop goes.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "support/async_test.hpp"

#include <asyncio/context.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include "base/native_stack.hpp"
#include "core/loop.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

std::thread::id this_id() { return std::this_thread::get_id(); }

// ---- run_in_executor

ASYNC_TEST(RunInExecutor, "begins at once, without an await") {
  std::atomic<bool> began{false};
  auto call = get_running_loop().run_in_executor(nullptr, [&] {
    began = true;
    began.notify_all();
    return 7;
  });
  began.wait(false);
  const int n = co_await call;
  EXPECT_EQ(n, 7);
}

ASYNC_TEST(RunInExecutor, "uses the pool it is given, else the default one") {
  EventLoop& loop = get_running_loop();
  ThreadPool own(1);
  loop.set_default_executor(std::make_shared<ThreadPool>(1));
  const std::thread::id in_own = co_await loop.run_in_executor(&own, this_id);
  const std::thread::id in_default = co_await loop.run_in_executor(nullptr, this_id);
  const std::thread::id in_to_thread = co_await to_thread(this_id);
  EXPECT_NE(in_own, in_default);
  EXPECT_EQ(in_default, in_to_thread);
}

ASYNC_TEST(RunInExecutor, "does not carry the context, nor keep one for the next call [R86]") {
  ContextVar<std::string> user{"user", "default"};
  auto scope = user.scoped_set("ada");
  EventLoop& loop = get_running_loop();
  loop.set_default_executor(std::make_shared<ThreadPool>(1));
  const std::string first = co_await loop.run_in_executor(nullptr, [&] {
    std::string seen = user.get();
    user.set("grace");
    return seen;
  });
  const std::string second = co_await loop.run_in_executor(nullptr, [&] { return user.get(); });
  EXPECT_EQ(first, "default");
  EXPECT_EQ(second, "default");
}

ASYNC_TEST(RunInExecutor, "puts what the function throws into the future") {
  auto call = get_running_loop().run_in_executor(nullptr, []() -> int {
    throw std::out_of_range("too far");
  });
  bool threw = false;
  try {
    co_await call;
  } catch (const std::out_of_range&) {
    threw = true;
  }
  EXPECT_TRUE(threw);
}

ASYNC_TEST(RunInExecutor, "reports an error that nobody asks for [R80]") {
  auto reports = test::record_reports();
  EventLoop& loop = get_running_loop();
  loop.run_in_executor(nullptr, [] { throw std::runtime_error("lost"); });
  co_await loop.shutdown_default_executor();
  co_await sleep(0s);
  EXPECT_EQ(*reports,
            Events{"Future exception was never retrieved: std::runtime_error: lost"});
}

ASYNC_TEST(RunInExecutor, "a cancelled future's call never runs if it has not begun [R87]") {
  EventLoop& loop = get_running_loop();
  ThreadPool pool(1);
  std::atomic<bool> go{false};
  bool called = false;
  auto first = loop.run_in_executor(&pool, [&] { go.wait(false); });
  auto second = loop.run_in_executor(&pool, [&] { called = true; });
  second.cancel();
  go = true;
  go.notify_all();
  co_await first;
  pool.shutdown();
  EXPECT_TRUE(second.cancelled());
  EXPECT_FALSE(called);
}

ASYNC_TEST(RunInExecutor, "a cancelled future's call is asked to stop if it has begun [R87]") {
  EventLoop& loop = get_running_loop();
  ThreadPool pool(1);
  std::atomic<bool> began{false};
  auto call = loop.run_in_executor(&pool, [&](std::stop_token token) {
    began = true;
    began.notify_all();
    while (!token.stop_requested()) std::this_thread::yield();
  });
  began.wait(false);
  call.cancel();
  pool.shutdown();
  co_await sleep(0s);
  EXPECT_TRUE(call.cancelled());
}

ASYNC_TEST(RunInExecutor, "a cancelled future's call is reported if it fails [R87]") {
  auto reports = test::record_reports();
  ThreadPool pool(1);
  std::atomic<bool> began{false};
  std::atomic<bool> go{false};
  auto call = get_running_loop().run_in_executor(&pool, [&] {
    began = true;
    began.notify_all();
    go.wait(false);
    throw std::runtime_error("lost");
  });
  began.wait(false);
  call.cancel();
  go = true;
  go.notify_all();
  pool.shutdown();
  co_await sleep(1s);
  EXPECT_EQ(reports->size(), 1u);
}

ASYNC_TEST(RunInExecutor, "refuses a pool that is null as the default") {
  EXPECT_THROW(get_running_loop().set_default_executor(std::shared_ptr<ThreadPool>()),
               std::invalid_argument);
  co_return;
}

// ---- the end of the executor

ASYNC_TEST(LoopExecutor, "is shut down when its calls have ended, and takes no more") {
  EventLoop& loop = get_running_loop();
  Events events;
  auto call = loop.run_in_executor(nullptr, [&] {
    std::this_thread::sleep_for(2ms);
    events.push_back("call");
  });
  co_await loop.shutdown_default_executor();
  events.push_back("shut down");
  EXPECT_EQ(events, (Events{"call", "shut down"}));
  EXPECT_THROW(loop.run_in_executor(nullptr, [] {}), RuntimeError);
  co_await loop.shutdown_default_executor();  // twice is harmless
  co_await call;
}

SYNC_TEST(LoopExecutor, "ends after the tasks and before the loop [R71]") {
  Events events;
  std::atomic<bool> tasks_ended{false};
  asyncio::run([&]() -> Coro<> {
    get_running_loop().run_in_executor(nullptr, [&] {
      tasks_ended.wait(false);
      std::this_thread::sleep_for(1ms);
      events.push_back("3 call");
    });
    create_task([&]() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        events.push_back("2 task");
        tasks_ended = true;
        tasks_ended.notify_all();
        throw;
      }
    }).detach();
    co_await sleep(0s);
    events.push_back("1 main");
  }());
  events.push_back("4 loop");
  EXPECT_EQ(events, (Events{"1 main", "2 task", "3 call", "4 loop"}));
}

// Its threads may outlive the test by a moment.
namespace stuck {
std::atomic<bool> go{false};
std::atomic<int> began{0};
std::atomic<int> gone{0};
int line = 0;
}  // namespace stuck

void get_stuck() {
  ++stuck::began;
  stuck::began.notify_all();
  stuck::go.wait(false);
  ++stuck::gone;
  stuck::gone.notify_all();
}

void wait_until(std::atomic<int>& counter, int value) {
  for (int now; (now = counter) != value;) counter.wait(now);
}

Coro<> awaits_a_stuck_call() {
  const auto call = [] { get_stuck(); };
  stuck::line = __LINE__; co_await to_thread(call);
}

SYNC_TEST(LoopExecutor, "is waited for so long only; then the stuck calls are named [R71, K4]") {
  const std::size_t descriptors = test::open_descriptors();
  {
    auto loop = new_event_loop();
    auto reports = test::record_reports(*loop);
    detail::LoopAccess::loop(*loop).executor_patience = 1'000'000;
    auto pool = std::make_shared<ThreadPool>(2);
    loop->set_default_executor(pool);
    loop->run_until_complete([&]() -> Coro<> {
      get_running_loop().run_in_executor(nullptr, get_stuck);
      create_task(awaits_a_stuck_call()).detach();
      co_await sleep(0s);
      get_running_loop().run_in_executor(nullptr, [] { FAIL() << "a call that was given up"; });
      wait_until(stuck::began, 2);
    }());
    pool.reset();
    loop->close();
    EXPECT_EQ(reports->size(), 1u);
    const std::string& report = reports->at(0);
    EXPECT_NE(report.find("while calls of its default executor still run"), std::string::npos);
    EXPECT_EQ(report.find("given up"), std::string::npos) << report;
    // A function by its symbol, where the program exports it; a lambda by its type and its await.
    EXPECT_NE(report.find("\n  " + detail::symbol_at(reinterpret_cast<void*>(&get_stuck))),
              std::string::npos) << report;
    EXPECT_NE(report.find("lambda"), std::string::npos) << report;
    EXPECT_NE(report.find("awaits_a_stuck_call"), std::string::npos) << report;
    EXPECT_NE(report.find(", line " + std::to_string(stuck::line) + ", in "), std::string::npos)
        << report;
  }
  stuck::go = true;  // the calls come back to a loop that is gone
  stuck::go.notify_all();
  wait_until(stuck::gone, 2);
  // What is left of the loop goes when the thread lets go of it, a moment after the call.
  while (test::open_descriptors() != descriptors) std::this_thread::yield();
}

SYNC_TEST(LoopExecutor, "says in debug mode that all its threads may wait for each other [K3]") {
  std::shared_ptr<Events> reports;
  const auto scenario = [&]() -> Coro<> {
    EventLoop& loop = get_running_loop();
    reports = test::record_reports(loop);
    loop.set_default_executor(std::make_shared<ThreadPool>(1));
    std::atomic<bool> enough{false};
    const auto wait = [&] {
      const auto inner = run_coroutine_threadsafe(to_thread([] {}), loop);
      while (!enough) inner.wait_for(1ms);
      inner.cancel();
    };
    auto outer = create_task(to_thread(wait));
    while (reports->empty()) co_await sleep(1ms);
    enough = true;
    co_await outer;
    // Where a thread is left, nothing is wrong.
    loop.set_default_executor(std::make_shared<ThreadPool>(2));
    const auto nested = [&] { run_coroutine_threadsafe(to_thread([] {}), loop).get(); };
    co_await to_thread(nested);
  };
  asyncio::run(scenario(), {.debug = true});
  EXPECT_EQ(reports->size(), 1u);
  EXPECT_EQ(reports->at(0).find("Every thread of a pool waits for a result of a loop"), 0u);
}

SYNC_TEST(LoopExecutor, "serves a call that waits for the loop while the loop closes [R88]") {
  std::atomic<int> answer{0};
  std::atomic<bool> closing{false};
  auto loop = new_event_loop();
  loop->run_until_complete([&]() -> Coro<> {
    EventLoop& here = get_running_loop();
    here.run_in_executor(nullptr, [&answer, &closing, &here] {
      closing.wait(false);
      answer = run_coroutine_threadsafe([]() -> Coro<int> { co_return 42; }(), here).get();
    });
    co_return;
  }());
  std::thread opener([&] {
    std::this_thread::sleep_for(2ms);
    closing = true;
    closing.notify_all();
  });
  loop->close();
  opener.join();
  EXPECT_EQ(answer, 42);
}

SYNC_TEST(LoopExecutor, "a forked child that closes the loop waits for no threads [R71]") {
  auto loop = new_event_loop();
  loop->run_until_complete(to_thread([] {}));
  const pid_t child = ::fork();
  if (child == 0) {
    loop.reset();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

SYNC_TEST(LoopExecutor, "a call that outlives its loop is let go of by its thread [C20]") {
  ThreadPool pool(1);
  std::atomic<bool> began{false};
  std::atomic<bool> go{false};
  const auto argument = std::make_shared<int>(1);
  const auto wait = [&, argument] {
    began = true;
    began.notify_all();
    go.wait(false);
    return argument;
  };
  Future<std::shared_ptr<int>> left;
  {
    auto loop = new_event_loop();
    loop->run_until_complete([&]() -> Coro<> {
      left = get_running_loop().run_in_executor(&pool, wait);
      began.wait(false);
      co_return;
    }());
    EXPECT_FALSE(left.done());
    left = {};
  }
  EXPECT_EQ(argument.use_count(), 3);
  go = true;
  go.notify_all();
  pool.shutdown();
  EXPECT_EQ(argument.use_count(), 2);
}

SYNC_TEST(LoopExecutor, "the error of a call that outlives its loop goes to stderr [R87]") {
  ThreadPool pool(1);
  std::atomic<bool> began{false};
  std::atomic<bool> go{false};
  {
    auto loop = new_event_loop();
    loop->run_until_complete([&]() -> Coro<> {
      get_running_loop().run_in_executor(&pool, [&] {
        began = true;
        began.notify_all();
        go.wait(false);
        throw std::runtime_error("too late");
      });
      began.wait(false);
      co_return;
    }());
  }
  go = true;
  go.notify_all();
  pool.shutdown();
  EXPECT_NE(test::take_stderr().find("std::runtime_error: too late"), std::string::npos);
}

}  // namespace
}  // namespace asyncio
