// The loop keeps the order, turns in batches, and stops and closes when told to.
// SPDX-License-Identifier: MIT
#include <asyncio/event_loop.hpp>

#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

// ---- order and turns

ASYNC_TEST(Loop, "calls each callback once, in the order asked [R1]") {
  Events events;
  EventLoop& loop = get_running_loop();
  loop.call_soon([&] { events.push_back("a"); });
  loop.call_soon([&] { events.push_back("b"); });
  loop.call_soon([&] { events.push_back("c"); });
  co_await sleep(0s);
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"a", "b", "c"}));
}

ASYNC_TEST(Loop, "leaves what a turn makes ready to the next turn [R2]") {
  Events events;
  EventLoop& loop = get_running_loop();
  loop.call_soon([&] {
    events.push_back("a");
    loop.call_soon([&] { events.push_back("a2"); });
  });
  loop.call_soon([&] { events.push_back("b"); });
  co_await sleep(0s);
  events.push_back("m1");
  co_await sleep(0s);
  events.push_back("m2");
  EXPECT_EQ(events, (Events{"a", "b", "m1", "a2", "m2"}));
}

ASYNC_TEST(Loop, "looks every turn on a virtual clock [R2]") {
  Events events;
  EventLoop& loop = get_running_loop();
  loop.call_later(0s, [&] { events.push_back("timer"); });
  co_await sleep(0s);
  events.push_back("m1");
  co_await sleep(0s);
  events.push_back("m2");
  EXPECT_EQ(events, (Events{"m1", "timer", "m2"}));  // a due timer goes behind what is ready
}

Coro<> two_steps(Events& events, std::string name) {
  events.push_back(name + "1");
  co_await [](Events& log, std::string step) -> Coro<> {
    log.push_back(step);
    co_return;
  }(events, name + "2");
  events.push_back(name + "3");
}

ASYNC_TEST(Loop, "runs nothing between two awaits of a task that need not wait [R8]") {
  Events events;
  auto a = create_task(two_steps(events, "a"));
  auto b = create_task(two_steps(events, "b"));
  co_await a;
  co_await b;
  EXPECT_EQ(events, (Events{"a1", "a2", "a3", "b1", "b2", "b3"}));
}

ASYNC_TEST(Loop, "hands its arguments to the callback, move-only ones too [R1]") {
  int seen = 0;
  EventLoop& loop = get_running_loop();
  loop.call_soon([&](std::unique_ptr<int> number, int factor) { seen = *number * factor; },
                 std::make_unique<int>(6), 7);
  co_await sleep(0s);
  EXPECT_EQ(seen, 42);
}

ASYNC_TEST(Loop, "does not call a callback that was cancelled, and lets go of it at once [R5]") {
  auto kept = std::make_shared<int>(1);
  bool called = false;
  Handle handle = get_running_loop().call_soon([kept, &called] { called = true; });
  handle.cancel();
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_TRUE(handle.cancelled());
  co_await sleep(0s);
  EXPECT_FALSE(called);
}

ASYNC_TEST(Loop, "lets go of a callback once it was called, though its handle stays [R1]") {
  auto kept = std::make_shared<int>(1);
  Handle handle = get_running_loop().call_soon([kept] {});
  co_await sleep(0s);
  EXPECT_EQ(kept.use_count(), 1);
  handle.cancel();
  EXPECT_FALSE(handle.cancelled());
}

// ---- stop and run

SYNC_TEST(Loop, "ends the batch that is under way when it is stopped [R6]") {
  Events events;
  auto loop = new_event_loop();
  loop->call_soon([&] {
    loop->stop();
    loop->call_soon([&] { events.push_back("next run"); });
  });
  loop->call_soon([&] { events.push_back("same batch"); });
  loop->run_forever();
  EXPECT_EQ(events, (Events{"same batch"}));
  loop->call_soon([&] { loop->stop(); });
  loop->run_forever();
  EXPECT_EQ(events, (Events{"same batch", "next run"}));
}

SYNC_TEST(Loop, "runs exactly one turn when it was stopped before [R6] [B7]") {
  Events events;
  auto loop = new_event_loop();
  loop->call_soon([&] {
    events.push_back("first");
    loop->call_soon([&] { events.push_back("second"); });
  });
  loop->stop();
  loop->run_forever();
  EXPECT_EQ(events, (Events{"first"}));
  EXPECT_EQ(loop->metrics().turns, 1u);
}

SYNC_TEST(Loop, "says so when it is stopped before the future is done [R6]") {
  auto loop = new_event_loop();
  auto future = loop->create_future<int>();
  loop->call_soon([&] { loop->stop(); });
  std::string message;
  try {
    loop->run_until_complete([](Future<int> f) -> Coro<int> { co_return co_await f; }(future));
  } catch (const RuntimeError& error) {
    message = error.what();
  }
  EXPECT_NE(message.find("stopped before Future completed"), std::string::npos) << message;
}

SYNC_TEST(Loop, "run_until_complete gives the result, of coroutines, tasks and operations [R6]") {
  auto loop = new_event_loop();
  EXPECT_EQ(loop->run_until_complete([]() -> Coro<int> { co_return 7; }()), 7);
  auto task = loop->create_task([]() -> Coro<int> { co_return 8; });
  EXPECT_EQ(loop->run_until_complete(task), 8);
  loop->run_until_complete(sleep(1ms));
}

SYNC_TEST(Loop, "run_until_complete of a future gives its result [R6]") {
  auto loop = new_event_loop();
  auto future = loop->create_future<int>();
  loop->call_soon([&] { future.set_result(9); });
  EXPECT_EQ(loop->run_until_complete(future), 9);
}

SYNC_TEST(Loop, "refuses to wait for a task or future of another loop [R6]") {
  const auto other = new_event_loop();
  const auto loop = new_event_loop();
  EXPECT_THROW(loop->run_until_complete(other->create_future<int>()), RuntimeError);
  EXPECT_THROW(loop->run_until_complete(other->create_task(sleep(0s))), RuntimeError);
}

ASYNC_TEST(Loop, "refuses to run again while it runs, and goes on [B7] [R75]") {
  EventLoop& loop = get_running_loop();
  EXPECT_THROW(loop.run_forever(), RuntimeError);
  EXPECT_THROW(loop.close(), RuntimeError);
  bool called = false;
  loop.call_soon([&] { called = true; });
  co_await sleep(0s);
  EXPECT_TRUE(called);
}

ASYNC_TEST(Loop, "refuses to run inside a callback of another loop [B7]") {
  auto other = new_event_loop();
  bool refused = false;
  get_running_loop().call_soon([&] {
    try {
      other->run_forever();
    } catch (const RuntimeError&) {
      refused = true;
    }
  });
  co_await sleep(0s);
  EXPECT_TRUE(refused);
}

// ---- close

SYNC_TEST(Loop, "throws after close instead of crashing [R7]") {
  auto loop = new_event_loop();
  loop->close();
  loop->close();
  EXPECT_TRUE(loop->is_closed());
  EXPECT_THROW(loop->call_soon([] {}), RuntimeError);
  EXPECT_THROW(loop->call_later(1s, [] {}), RuntimeError);
  EXPECT_THROW(loop->call_soon_threadsafe([] {}), RuntimeError);
  EXPECT_THROW(loop->create_future<>(), RuntimeError);
  EXPECT_THROW(static_cast<void>(loop->create_task([]() -> Coro<> { co_return; })), RuntimeError);
  EXPECT_THROW(loop->run_forever(), RuntimeError);
}

struct Busy {
  Events events;
  std::shared_ptr<int> held = std::make_shared<int>(0);
};

Coro<> worker(std::shared_ptr<int> held, Future<> gate) {
  while (*held >= 0) {
    co_await sleep(0s);
    co_await sleep(1us);
    if (gate.done()) co_await gate;
  }
}

// How many copies of `held` a program leaves that is closed after `turns` turns.
long left_after(int turns) {
  auto held = std::make_shared<int>(0);
  {
    auto loop = new_event_loop();
    auto gate = loop->create_future<>();
    auto waiting = loop->create_task([gate, held]() -> Coro<> { co_await gate; });
    for (int i = 0; i < 3; ++i) loop->create_task(worker(held, gate)).detach();
    loop->call_later(1h, [held] {});
    loop->call_later(2us, [held] {});
    for (int i = 0; i < turns; ++i) {
      loop->call_soon([held] {});
      loop->stop();
      loop->run_forever();
    }
    loop->call_soon([held] {});
    loop->call_soon_threadsafe([held] {});
    std::thread([&] { loop->call_soon_threadsafe([held] {}); }).join();
  }
  return held.use_count() - 1;
}

SYNC_TEST(Loop, "closes at every turn of a busy program and leaves nothing [B10]") {
  std::vector<long> left;
  for (int turns = 0; turns < 12; ++turns) left.push_back(left_after(turns));
  EXPECT_EQ(left, std::vector<long>(12, 0));
}

SYNC_TEST(Loop, "reports and frees a task that a dropped callback has made [B10, R73]") {
  struct MakesTask {
    EventLoop& loop;
    ~MakesTask() { loop.create_task(sleep(1s)).detach(); }
  };
  const auto loop = new_event_loop();
  loop->call_later(1h, [held = std::make_unique<MakesTask>(*loop)] {});
  loop->close();
  EXPECT_NE(test::take_stderr().find("Task was destroyed but it is pending"), std::string::npos);
}

SYNC_TEST(Loop, "calls nothing after close [B10]") {
  bool called = false;
  auto loop = new_event_loop();
  loop->call_soon([&] { called = true; });
  loop->call_later(0s, [&] { called = true; });
  loop->close();
  loop.reset();
  EXPECT_FALSE(called);
}

// ---- errors in callbacks

ASYNC_TEST(Loop, "gives what a callback throws to the exception handler, once, and goes on [R81] "
                 "[B8]") {
  auto reports = test::record_reports();
  Events events;
  EventLoop& loop = get_running_loop();
  loop.call_soon([] { throw std::runtime_error("boom"); });
  loop.call_soon([&] { events.push_back("next"); });
  co_await sleep(0s);
  EXPECT_EQ(*reports, (Events{"Exception in callback: std::runtime_error: boom"}));
  EXPECT_EQ(events, (Events{"next"}));
}

ASYNC_TEST(Loop, "tells the handler which callback it was [B8]") {
  bool has_handle = false;
  EventLoop& loop = get_running_loop();
  loop.set_exception_handler([&](EventLoop& where, const ExceptionContext& context) {
    has_handle = context.handle != nullptr && &where == &loop;
  });
  loop.call_soon([] { throw 1; });
  co_await sleep(0s);
  EXPECT_TRUE(has_handle);
}

ASYNC_TEST(Loop, "falls back to the default handler when the handler throws [R81] [B8]") {
  EventLoop& loop = get_running_loop();
  loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {
    throw std::runtime_error("the handler's own");
  });
  loop.call_soon([] { throw std::runtime_error("the callback's"); });
  co_await sleep(0s);
  const std::string text = test::take_stderr();
  EXPECT_NE(text.find("the handler's own"), std::string::npos) << text;
  EXPECT_NE(text.find("the callback's"), std::string::npos) << text;
}

SYNC_TEST(Loop, "ends by a SystemExit of the exception handler [R77]") {
  auto loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) { throw SystemExit{9}; });
  loop->call_soon([] { throw std::runtime_error("boom"); });
  int code = 0;
  try {
    loop->run_until_complete(sleep(1ms));
  } catch (const SystemExit& exit) {
    code = exit.code;
  }
  EXPECT_EQ(code, 9);
  loop->run_until_complete(sleep(1ms));
  EXPECT_THROW(loop->run_until_complete([]() -> Coro<> {
    get_running_loop().set_exception_handler(
        [](EventLoop&, const ExceptionContext&) { throw KeyboardInterrupt(); });
    create_task([]() -> Coro<> {
      throw std::runtime_error("boom");
      co_return;
    }()).detach();
    co_await sleep(1h);
  }()),
               KeyboardInterrupt);
}

ASYNC_TEST(Loop, "does not end by a callback that throws CancelledError [R81]") {
  auto reports = test::record_reports();
  get_running_loop().call_soon([] { throw CancelledError("stray"); });
  co_await sleep(0s);
  EXPECT_EQ(*reports, (Events{"Exception in callback: asyncio::CancelledError: stray"}));
}

ASYNC_TEST(Loop, "lets the exception handler create tasks [R81]") {
  Events events;
  EventLoop& loop = get_running_loop();
  Task<> made;
  loop.set_exception_handler([&](EventLoop& where, const ExceptionContext&) {
    made = where.create_task([&events]() -> Coro<> {
      events.push_back("cleaned");
      co_return;
    });
  });
  loop.call_soon([] { throw 1; });
  co_await sleep(0s);
  co_await made;
  EXPECT_EQ(events, (Events{"cleaned"}));
}

SYNC_TEST(Loop, "gives back the handler that was set, and lets it replace itself [R81]") {
  const auto loop = new_event_loop();
  EXPECT_EQ(loop->get_exception_handler(), nullptr);
  int told = 0;
  loop->set_exception_handler([&, kept = std::make_unique<int>(1)](EventLoop& where,
                                                                   const ExceptionContext&) {
    where.set_exception_handler(nullptr);
    told += *kept;
  });
  const ExceptionHandler first = loop->get_exception_handler();
  EXPECT_TRUE(first);
  loop->call_exception_handler({.message = "one"});
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(loop->get_exception_handler());
  loop->set_exception_handler(first);  // what a test that borrows a loop does at its end
  loop->call_exception_handler({.message = "two"});
  EXPECT_EQ(told, 2);
}

ASYNC_TEST(Loop, "restores the default handler for nullptr, which writes to stderr [R81]") {
  EventLoop& loop = get_running_loop();
  auto reports = test::record_reports();
  loop.set_exception_handler(nullptr);
  loop.call_soon([] { throw std::runtime_error("boom"); });
  co_await sleep(0s);
  EXPECT_EQ(*reports, Events{});
  EXPECT_EQ(test::take_stderr(), "Exception in callback\nstd::runtime_error: boom\n");
}

// ---- metrics

ASYNC_TEST(Loop, "counts its turns, tasks and timers [R2]") {
  EventLoop& loop = get_running_loop();
  const LoopMetrics before = loop.metrics();
  TimerHandle timer = loop.call_later(1h, [] {});
  auto task = create_task(sleep(1s));
  const LoopMetrics during = loop.metrics();
  timer.cancel();
  co_await task;
  EXPECT_EQ(during.timers, before.timers + 1);
  EXPECT_EQ(during.tasks_alive, before.tasks_alive + 1);
  EXPECT_EQ(during.tasks_made, before.tasks_made + 1);
  EXPECT_EQ(during.ready, 1u);
}

// ---- debug mode

ASYNC_TEST(Loop, "refuses another thread in debug mode [R7] [B11]") {
  EventLoop& loop = get_running_loop();
  loop.set_debug(true);
  auto future = loop.create_future<>();
  int refused = 0;
  const auto attempt = [&](auto call) {
    try {
      call();
    } catch (const RuntimeError&) {
      ++refused;
    }
  };
  std::thread([&] {
    attempt([&] { loop.call_soon([] {}); });
    attempt([&] { loop.call_later(1s, [] {}); });
    attempt([&] { future.set_result(); });
    attempt([&] { loop.stop(); });
    attempt([&] { static_cast<void>(loop.create_task([]() -> Coro<> { co_return; })); });
  }).join();
  EXPECT_EQ(refused, 5);
  EXPECT_FALSE(future.done());
  co_return;
}

ASYNC_TEST(Loop, "refuses to cancel a task from another thread in debug mode [C14]") {
  get_running_loop().set_debug(true);
  auto task = create_task(sleep(1s));
  bool refused = false;
  std::thread([&] {
    try {
      task.cancel();
    } catch (const RuntimeError&) {
      refused = true;
    }
  }).join();
  co_await task;
  EXPECT_TRUE(refused);
}

ASYNC_TEST(Loop, "cancels a task from another thread by call_soon_threadsafe [C14]") {
  EventLoop& loop = get_running_loop();
  auto hold = loop.hold();
  auto task = create_task(sleep(1s));
  std::thread poster([&] { loop.call_soon_threadsafe([&task] { task.cancel(); }); });
  const auto outcome = co_await task.join();
  poster.join();
  EXPECT_TRUE(outcome.cancelled());
}

// ---- as other things end

std::unique_ptr<Future<int>> kept_future;
std::unique_ptr<Task<int>> kept_task;

PROGRAM(exits_with_global_handles) {
  kept_future = std::make_unique<Future<int>>();
  run([]() -> Coro<> {
    *kept_future = get_running_loop().create_future<int>();
    kept_task = std::make_unique<Task<int>>(create_task([]() -> Coro<int> { co_return 42; }));
    co_await *kept_task;
  }());
  return kept_task->result() - 42;
}

SYNC_TEST(Loop, "lets globals outlive it [B14]") {
  const test::ProcessEnd end = test::run_program("exits_with_global_handles");
  EXPECT_EQ(end.code, 0) << end.err;
  EXPECT_EQ(end.err, "");
}

SYNC_TEST(Loop, "reports nothing into a loop that is gone [B14]") {
  Task<> failed;
  Future<> failed_future;
  run([](Task<>& task, Future<>& future) -> Coro<> {
    task = create_task([]() -> Coro<> {
      co_await sleep(0s);
      throw std::runtime_error("never asked for");
    });
    future = get_running_loop().create_future<>();
    future.set_exception(std::runtime_error("never asked for either"));
    co_await sleep(1ms);
  }(failed, failed_future));
  failed = {};
  failed_future = {};
  const std::string text = test::take_stderr();
  EXPECT_NE(text.find("never asked for\n"), std::string::npos) << text;
  EXPECT_NE(text.find("never asked for either\n"), std::string::npos) << text;
}

SYNC_TEST(Loop, "is several at once, on several threads [B13]") {
  std::vector<int> sums(8);
  std::vector<std::thread> threads;
  for (int& sum : sums) {
    threads.emplace_back([&sum] {
      sum = run([]() -> Coro<int> {
        int total = 0;
        for (int i = 0; i < 1000; ++i) {
          auto task = create_task([](int n) -> Coro<int> {
            co_await sleep(0s);
            co_return n;
          }(i));
          total += co_await task;
        }
        co_return total;
      }());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sums, std::vector<int>(8, 499500));
}

SYNC_TEST(Loop, "is known by get_running_loop only while it runs [R7]") {
  EXPECT_EQ(running_loop(), nullptr);
  EXPECT_THROW(get_running_loop(), RuntimeError);
  auto loop = new_event_loop();
  EventLoop* seen = nullptr;
  loop->call_soon([&] {
    seen = running_loop();
    loop->stop();
  });
  loop->run_forever();
  EXPECT_EQ(seen, loop.get());
  EXPECT_EQ(running_loop(), nullptr);
}

}  // namespace
}  // namespace asyncio
