// run() begins with main, ends with everything else, and gives or throws what main does.
// SPDX-License-Identifier: MIT
#include <asyncio/run.hpp>

#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/sleep.hpp>

#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

// Waits until it is cancelled, and takes a (virtual) hour to clean up.
Coro<> leftover(Events& events, std::string name) {
  std::exception_ptr cancelled;
  try {
    co_await sleep(24h);
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  events.push_back(name + " cancelled");
  co_await sleep(1h);
  events.push_back(name + " cleaned");
  std::rethrow_exception(cancelled);
}

// ---- results

SYNC_TEST(Run, "gives what main returns, whatever its type") {
  EXPECT_EQ(run([]() -> Coro<int> { co_return 42; }()), 42);
  EXPECT_EQ(*run([]() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(1); }()), 1);
  run(sleep(1ms));
}

SYNC_TEST(Run, "gives a reference that main returns") {
  int number = 0;
  int& same = run([](int& n) -> Coro<int&> { co_return n; }(number));
  EXPECT_EQ(&same, &number);
}

SYNC_TEST(Run, "throws what main throws, and says nothing when it is caught") {
  EXPECT_THROW(run([]() -> Coro<> {
    co_await sleep(0s);
    throw std::runtime_error("boom");
  }()),
               std::runtime_error);
}

SYNC_TEST(Run, "throws CancelledError when main ends cancelled") {
  EXPECT_THROW(run([]() -> Coro<> { throw CancelledError(); co_return; }()), CancelledError);
}

ASYNC_TEST(Run, "inside of a running loop throws, and does not leak its argument [R75] [B7]") {
  auto held = std::make_shared<int>(0);
  const auto main = [](std::shared_ptr<int>) -> Coro<> { co_return; };
  EXPECT_THROW(run(main(held)), RuntimeError);
  EXPECT_THROW(testing::run(main(held)), RuntimeError);
  EXPECT_EQ(held.use_count(), 1);
  co_return;
}

SYNC_TEST(Run, "leaves no running loop behind, even after an error [R71]") {
  EXPECT_THROW(run([]() -> Coro<> { throw std::runtime_error("x"); co_return; }()),
               std::runtime_error);
  EXPECT_EQ(running_loop(), nullptr);
  EXPECT_EQ(run([]() -> Coro<int> { co_return 1; }()), 1);
}

SYNC_TEST(Run, "uses the factory's loop [R71]") {
  static bool asked = false;
  const LoopFactory factory = [] {
    asked = true;
    return new_event_loop();
  };
  run([]() -> Coro<> { co_return; }(), {.loop_factory = factory});
  EXPECT_TRUE(asked);
}

SYNC_TEST(Run, "sets debug mode by option [R7]") {
  const bool debug = run([]() -> Coro<bool> { co_return get_running_loop().get_debug(); }(),
                         {.debug = true});
  EXPECT_TRUE(debug);
}

// ---- leaving

SYNC_TEST(Run, "cancels what is left, waits for it, then closes the loop [R71] [R72]") {
  Events events;
  EventLoop* loop = nullptr;
  testing::run([](Events& log, EventLoop*& where) -> Coro<> {
    where = &get_running_loop();
    create_task(leftover(log, "a")).detach();
    create_task(leftover(log, "b")).detach();
    co_await sleep(1s);
    log.push_back("main");
  }(events, loop));
  EXPECT_EQ(events, (Events{"main", "a cancelled", "b cancelled", "a cleaned", "b cleaned"}));
}

SYNC_TEST(Run, "cleans up before main's error leaves [R71]") {
  Events events;
  try {
    testing::run([](Events& log) -> Coro<> {
      create_task(leftover(log, "a")).detach();
      co_await sleep(1s);
      throw std::runtime_error("main's");
    }(events));
  } catch (const std::runtime_error& error) {
    events.push_back(error.what());
  }
  EXPECT_EQ(events, (Events{"a cancelled", "a cleaned", "main's"}));
}

SYNC_TEST(Run, "gives errors of cancelled leftovers to the exception handler [R72]") {
  std::shared_ptr<Events> reports;
  testing::run([](std::shared_ptr<Events>& out) -> Coro<> {
    out = test::record_reports();
    create_task([]() -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
      }
      throw std::runtime_error("in clean-up");
    }).detach();
    co_await sleep(0s);
  }(reports));
  EXPECT_EQ(*reports,
            (Events{"unhandled exception during shutdown: std::runtime_error: in clean-up"}));
}

SYNC_TEST(Run, "cancels a leftover once, and waits for it however long it takes [R72]") {
  Events events;
  testing::run([](Events& log) -> Coro<> {
    create_task([](Events& inner) -> Coro<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        inner.push_back("swallowed");
      }
      co_await sleep(24h * 365);
      inner.push_back("a year later");
    }(log)).detach();
    co_await sleep(0s);
  }(events));
  EXPECT_EQ(events, (Events{"swallowed", "a year later"}));
}

Coro<> breeds(Events& events, int generations) {
  std::exception_ptr cancelled;
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  events.push_back(std::to_string(generations));
  if (generations > 0) create_task(breeds(events, generations - 1)).detach();
  std::rethrow_exception(cancelled);
}

SYNC_TEST(Run, "cancels tasks that are made during shutdown too, until none is left [R73]") {
  Events events;
  testing::run([](Events& log) -> Coro<> {
    create_task(breeds(log, 1)).detach();
    co_await sleep(0s);
  }(events));
  // The second generation is cancelled before it begins, and so makes no third.
  EXPECT_EQ(events, (Events{"1"}));
}

SYNC_TEST(Run, "close() ends what swallows 100 cancellations, and says so [R73]") {
  int swallowed = 0;
  auto loop = new_event_loop();
  auto reports = test::record_reports(*loop);
  auto task = loop->create_task([](int& count) -> Coro<> {
    for (;;) {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        ++count;
      }
    }
  }(swallowed));
  loop->stop();
  loop->run_forever();
  loop->close();
  EXPECT_EQ(swallowed, 100);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(*reports, (Events{"Task was destroyed but it is pending"}));
}

// ---- a Runner

SYNC_TEST(Runner, "runs one main after the other on one loop [R76]") {
  Runner runner;
  EventLoop* const loop = &runner.get_loop();
  const auto where = []() -> Coro<EventLoop*> { co_return &get_running_loop(); };
  EXPECT_EQ(runner.run(where()), loop);
  EXPECT_EQ(runner.run(where()), loop);
}

SYNC_TEST(Runner, "lets tasks go on from one run to the next [R76]") {
  Events events;
  Runner runner;
  Task<> task;
  runner.run([](Task<>& made, Events& log) -> Coro<> {
    made = create_task([](Events& inner) -> Coro<> {
      inner.push_back("begun");
      co_await sleep(1ms);
      inner.push_back("ended");
    }(log));
    co_await sleep(0s);
  }(task, events));
  EXPECT_EQ(events, (Events{"begun"}));
  runner.run([](Task<>& made) -> Coro<> { co_await made; }(task));
  EXPECT_EQ(events, (Events{"begun", "ended"}));
}

SYNC_TEST(Runner, "refuses to run once it is closed [R7]") {
  Runner runner;
  runner.run(sleep(0s));
  runner.close();
  runner.close();
  EXPECT_THROW(runner.run(sleep(0s)), RuntimeError);
  EXPECT_THROW(runner.get_loop(), RuntimeError);
}

SYNC_TEST(Runner, "goes on after a main that failed [R76]") {
  Runner runner;
  EXPECT_THROW(runner.run([]() -> Coro<> { throw std::runtime_error("x"); co_return; }()),
               std::runtime_error);
  EXPECT_EQ(runner.run([]() -> Coro<int> { co_return 1; }()), 1);
}

ASYNC_TEST(Runner, "that is never run costs nothing inside of a loop [R75]") {
  Runner runner;
  EXPECT_THROW(runner.run(sleep(0s)), RuntimeError);
  co_return;
}

// ---- what ends everything

SYNC_TEST(Fatal, "SystemExit from a task leaves run at once, and stays in the task [R77]") {
  Task<> exiting;
  int code = 0;
  try {
    testing::run([](Task<>& task) -> Coro<> {
      task = create_task([]() -> Coro<> {
        co_await sleep(1s);
        throw SystemExit{7};
      });
      co_await sleep(24h);
    }(exiting));
  } catch (const SystemExit& exit) {
    code = exit.code;
  }
  EXPECT_EQ(code, 7);
  EXPECT_THROW(exiting.result(), SystemExit);
}

SYNC_TEST(Fatal, "KeyboardInterrupt from a callback leaves run [R77]") {
  EXPECT_THROW(run([]() -> Coro<> {
    get_running_loop().call_soon([] { throw KeyboardInterrupt(); });
    co_await sleep(24h);
  }()),
               KeyboardInterrupt);
}

SYNC_TEST(Fatal, "still lets the others clean up [R77] [R71]") {
  Events events;
  EXPECT_THROW(run([](Events& log) -> Coro<> {
    create_task([](Events& inner) -> Coro<> {
      try {
        co_await sleep(24h);
      } catch (const CancelledError&) {
        inner.push_back("cleaned");
        throw;
      }
    }(log)).detach();
    co_await sleep(0s);
    throw SystemExit{1};
  }(events)),
               SystemExit);
  EXPECT_EQ(events, (Events{"cleaned"}));
}

SYNC_TEST(Fatal, "leaves run_forever, and the loop can go on [R77]") {
  Events events;
  auto loop = new_event_loop();
  loop->call_soon([] { throw SystemExit{1}; });
  loop->call_soon([&] {
    events.push_back("next");
    loop->stop();
  });
  EXPECT_THROW(loop->run_forever(), SystemExit);
  loop->run_forever();
  EXPECT_EQ(events, (Events{"next"}));
}

// ---- fork

Coro<int> sleep_and_answer() {
  co_await sleep(1ms);
  co_return 42;
}

SYNC_TEST(Fork, "a loop refuses to be used in a forked child [R7]") {
  auto loop = new_event_loop();
  const int refusals = test::in_child([&] {
    int refused = 0;
    const auto attempt = [&](auto call) {
      try {
        call();
      } catch (const RuntimeError&) {
        ++refused;
      }
    };
    attempt([&] { loop->call_soon([] {}); });
    attempt([&] { loop->call_soon_threadsafe([] {}); });
    attempt([&] { loop->run_forever(); });
    attempt([&] { static_cast<void>(loop->create_task(sleep(0s))); });
    return refused;
  });
  EXPECT_EQ(refusals, 4);
}

SYNC_TEST(Fork, "a forked child may make a loop of its own [R7]") {
  auto loop = new_event_loop();
  EXPECT_EQ(test::in_child([] { return run(sleep_and_answer()); }), 42);
}

SYNC_TEST(Fork, "a child forked inside a coroutine may do so, too [R7]") {
  run([]() -> Coro<> {
    EXPECT_EQ(test::in_child([] { return run(sleep_and_answer()); }), 42);
    const auto by_hand = [] { return new_event_loop()->run_until_complete(sleep_and_answer()); };
    EXPECT_EQ(test::in_child(by_hand), 42);
    co_await sleep(1ms);
  }());
}

// Forks inside of a run() whose main task then sleeps. Gives how the child's run ended.
int child_that_sleeps_on(EventLoop::Clock::duration delay) {
  pid_t child = -1;
  bool slept = false;
  std::string error;
  try {
    run([&]() -> Coro<> {
      const auto other = create_task(sleep(1h));
      child = ::fork();
      if (child == 0) ::alarm(20);
      co_await sleep(delay);
      slept = true;
    }());
  } catch (const RuntimeError& refusal) {
    error = refusal.what();
  }
  const bool refused = error.find("fork()") != std::string::npos && !slept;
  if (child == 0) ::_exit(refused ? 42 : 1);
  EXPECT_TRUE(slept) << error;
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

SYNC_TEST(Fork, "the parent's loop ends in the child at the next wait, and run throws [R7]") {
  EXPECT_EQ(child_that_sleeps_on(0s), 42);
  EXPECT_EQ(child_that_sleeps_on(2ms), 42);
}

}  // namespace
}  // namespace asyncio
