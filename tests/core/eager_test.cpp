// Eager tasks begin inside create_task; factories see every task; memory is counted.
// SPDX-License-Identifier: MIT
#include <asyncio/task.hpp>

#include "support/async_test.hpp"

#include <asyncio/context.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/sleep.hpp>

#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

constexpr TaskOptions eager{.eager_start = true};

ASYNC_TEST(Eager, "runs the first step inside create_task [R115]") {
  Events events;
  auto task = create_task([](Events& log) -> Coro<> {
    log.push_back("first step");
    co_await sleep(1s);
    log.push_back("second step");
  }(events), eager);
  events.push_back("made");
  co_await task;
  EXPECT_EQ(events, (Events{"first step", "made", "second step"}));
}

ASYNC_TEST(Eager, "that never waits is done when create_task returns [R115]") {
  auto task = create_task([]() -> Coro<int> { co_return 42; }, eager);
  EXPECT_TRUE(task.done());
  EXPECT_EQ(task.result(), 42);
  co_return;
}

ASYNC_TEST(Eager, "runs as the new task, and gives the old one back afterwards [R115]") {
  std::string inside;
  auto task = create_task(
      [](std::string& name) -> Coro<> {
        name = current_task()->get_name();
        co_return;
      }(inside),
      {.name = "eager one", .eager_start = true});
  const std::string after = current_task()->get_name();
  co_await task;
  EXPECT_EQ(inside, "eager one");
  EXPECT_NE(after, "eager one");
}

ASYNC_TEST(Eager, "runs in a context of its own [R115] [R85]") {
  const ContextVar<int> number("number", 0);
  auto task = create_task([](const ContextVar<int>& var) -> Coro<> {
    var.set(1);
    co_return;
  }(number), eager);
  co_await task;
  EXPECT_EQ(number.get(), 0);
}

ASYNC_TEST(Eager, "keeps its error for whoever asks [R115] [R53]") {
  auto task = create_task([]() -> Coro<> {
    throw std::runtime_error("at once");
    co_return;
  }, eager);
  EXPECT_TRUE(task.done());
  EXPECT_THROW(task.result(), std::runtime_error);
  co_return;
}

ASYNC_TEST(Eager, "started by a callback leaves the callback without a task [R115]") {
  Events events;
  get_running_loop().call_soon([&] {
    auto task = create_task([](Events& log) -> Coro<> {
      log.push_back(current_task() ? "task" : "none");
      co_return;
    }(events), eager);
    events.push_back(current_task() ? "task" : "none");
  });
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"task", "none"}));
}

// How deep it stands on the native stack at its first step; each starts the next eagerly.
Coro<int> start_next(int left, int& started) {
  ++started;
  if (left == 0) co_return 0;
  auto next = create_task(start_next(left - 1, started), {.eager_start = true});
  co_return co_await next + 1;
}

ASYNC_TEST(Eager, "nests 64 deep, and deeper ones start on the next turn [R115]") {
  int started = 0;
  auto task = create_task(start_next(199, started), {.eager_start = true});
  const int at_once = started;
  co_await sleep(0s);
  const int a_turn_later = started;
  const int depth = co_await task;
  EXPECT_EQ(at_once, 64);
  EXPECT_EQ(a_turn_later, 128 + 1);
  EXPECT_EQ(depth, 199);
}

ASYNC_TEST(Eager, "is cancelled like any other once it waits [R115] [R13]") {
  auto task = create_task(sleep(1h), eager);
  task.cancel();
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
}

ASYNC_TEST(Eager, "may cancel the task that starts it [R115]") {
  Events events;
  auto task = create_task([](Events& log) -> Coro<> {
    auto child = create_task([](AnyTask parent) -> Coro<> {
      parent.cancel();
      co_return;
    }(*current_task()), eager);
    log.push_back("runs on");
    co_await sleep(1h);
    log.push_back("never");
  }(events));
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(events, (Events{"runs on"}));
}

// ---- task factories

ASYNC_TEST(TaskFactory, "sees each new task before its first step, by name [R88]") {
  Events events;
  EventLoop& loop = get_running_loop();
  loop.set_task_factory([&](EventLoop&, AnyTask task) { events.push_back(task.get_name()); });
  auto task = create_task([](Events& log) -> Coro<> {
    log.push_back("step");
    co_return;
  }(events), {.name = "seen", .eager_start = true});
  loop.set_task_factory({});
  auto unseen = create_task(sleep(0s));
  co_await task;
  co_await unseen;
  EXPECT_EQ(events, (Events{"seen", "step"}));
}

ASYNC_TEST(TaskFactory, "that throws refuses the task: nothing is scheduled or leaked [R88]") {
  EventLoop& loop = get_running_loop();
  auto held = std::make_shared<int>(0);
  loop.set_task_factory([](EventLoop&, AnyTask) { throw std::runtime_error("no more tasks"); });
  const LoopMetrics before = loop.metrics();
  EXPECT_THROW(static_cast<void>(create_task([held]() -> Coro<> { co_return; })),
               std::runtime_error);
  loop.set_task_factory({});
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(loop.metrics().tasks_alive, before.tasks_alive);
  EXPECT_EQ(loop.metrics().ready, before.ready);
  co_return;
}

ASYNC_TEST(TaskFactory, "that keeps a task it refused sees it cancelled [R88]") {
  EventLoop& loop = get_running_loop();
  AnyTask kept;
  loop.set_task_factory([&](EventLoop&, AnyTask task) {
    kept = task;
    throw std::runtime_error("no more tasks");
  });
  EXPECT_THROW(static_cast<void>(create_task(sleep(1s))), std::runtime_error);
  loop.set_task_factory({});
  EXPECT_TRUE(kept.done() && kept.cancelled());
  co_return;
}

}  // namespace
}  // namespace asyncio
