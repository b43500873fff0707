// A coroutine that nobody awaits is named, with its place; in debug mode also who made it.
// SPDX-License-Identifier: MIT
#include <asyncio/coro.hpp>

#include "support/async_test.hpp"

#include <asyncio/event_loop.hpp>
#include <asyncio/graph.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

// On one line: g++ names the last of a function that never awaits, clang the first.
Coro<int> child(int n) { co_return n; }
constexpr int child_line = __LINE__ - 1;

struct Service {
  Coro<> restart() { co_await sleep(1s); }
};

void forget(int n) { static_cast<void>(child(n)); }

std::size_t count_in(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

ASYNC_TEST(Unawaited, "coroutine is reported with its function and place [R83, A19, L2]") {
  std::vector<FrameEntry> place;
  std::string message;
  get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
    message = context.message;
    place = context.traceback;
    EXPECT_EQ(context.exception, nullptr);
  });
  forget(1);
  EXPECT_NE(message.find("child' was never awaited"), std::string::npos) << message;
  EXPECT_EQ(place.size(), 1u);
  if (place.size() != 1) co_return;
  EXPECT_NE(place[0].function.find("child"), std::string::npos) << place[0].function;
  EXPECT_NE(place[0].file.find("unawaited_test.cpp"), std::string::npos) << place[0].file;
  EXPECT_EQ(place[0].line, child_line);
}

ASYNC_TEST(Unawaited, "coroutine is printed readably by default, each one once [R83]") {
  for (int i = 0; i < 2; ++i) forget(i);
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "child' was never awaited\n"), 2u) << text;
  EXPECT_EQ(count_in(text, "  File \""), 2u) << text;
  EXPECT_EQ(count_in(text, "\", line " + std::to_string(child_line) + ", in "), 2u) << text;
  co_return;
}

SYNC_TEST(Unawaited, "coroutine is reported where no loop runs, too [R83]") {
  forget(1);
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "was never awaited"), 1u) << text;
}

ASYNC_TEST(Unawaited, "method and lambda have names [R83]") {
  Service service;
  static_cast<void>(service.restart());
  const auto ping = []() -> Coro<> { co_return; };
  static_cast<void>(ping());
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "Service::restart' was never awaited"), 1u) << text;
  EXPECT_EQ(count_in(text, "was never awaited"), 2u) << text;
  co_return;
}

ASYNC_TEST(Unawaited, "argument of a coroutine that runs is reported when that ends [R83]") {
  const auto ignores = [](Coro<int>) -> Coro<> { co_await sleep(1s); };
  co_await ignores(child(1));
  EXPECT_EQ(count_in(test::take_stderr(), "child' was never awaited"), 1u);
}

ASYNC_TEST(Unawaited, "coroutine is all that is reported: others say nothing [R83]") {
  auto moved = child(1);
  auto awaited = std::move(moved);
  co_await std::move(awaited);
  auto task = create_task(child(2));
  co_await task;
  std::optional<Coro<int>> empty;
  EXPECT_EQ(test::take_stderr(), "");
}

// ---- what goes with its parent

ASYNC_TEST(Unawaited, "coroutine says nothing when an error takes it along [R83]") {
  const auto fails = []() -> Coro<> {
    auto never = child(1);
    throw std::runtime_error("more important");
    co_await std::move(never);
  };
  bool failed = false;
  try {
    co_await fails();
  } catch (const std::runtime_error&) {
    failed = true;
  }
  EXPECT_TRUE(failed);
  // The same where the error comes from an await, raised directly.
  failed = false;
  const auto waits = [&]() -> Coro<> {
    auto never = child(1);
    co_await fails();
    co_await std::move(never);
  };
  try {
    co_await waits();
  } catch (const std::runtime_error&) {
    failed = true;
  }
  EXPECT_TRUE(failed);
  EXPECT_EQ(test::take_stderr(), "");
}

ASYNC_TEST(Unawaited, "argument of a task that is cancelled before it begins says nothing [R83]") {
  const auto runs = [](Coro<int> inner) -> Coro<> { co_await std::move(inner); };
  auto task = create_task(runs(child(1)));
  task.cancel();
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(test::take_stderr(), "");
}

Coro<> swallows_every_cancellation() {
  auto later = child(1);
  for (;;) {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      continue;
    }
    break;
  }
  co_await std::move(later);
}

SYNC_TEST(Unawaited, "coroutine in a task that is destroyed says nothing of its own [R83]") {
  {
    auto loop = new_event_loop();
    auto task = loop->create_task(swallows_every_cancellation());
    loop->run_until_complete(sleep(0s));
    loop->close();
  }
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "Task was destroyed but it is pending"), 1u) << text;
  EXPECT_EQ(count_in(text, "was never awaited"), 0u) << text;
}

// ---- debug mode

SYNC_TEST(Unawaited, "coroutine has the native stack of its creation in debug mode [R83]") {
  const auto scenario = []() -> Coro<> {
    forget(1);
    co_await sleep(1s);
    forget(2);  // of a block that has been used before
  };
  testing::run(scenario(), {.debug = true});
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "was never awaited\nMade at (native stack, innermost first):\n  "), 2u)
      << text;
  EXPECT_GE(count_in(text, "[0x"), 6u) << text;
  EXPECT_EQ(count_in(text, "\", line " + std::to_string(child_line) + ", in "), 2u) << text;
}

SYNC_TEST(Unawaited, "nor joined: a task that is destroyed says in debug mode who made it [R83]") {
  {
    auto loop = new_event_loop();
    loop->set_debug(true);
    loop->run_until_complete([]() -> Coro<> {
      create_task(swallows_every_cancellation()).detach();
      co_await sleep(0s);
    }());
    loop->close();
  }
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "but it is pending\nMade at (native stack"), 1u) << text;
}

SYNC_TEST(Unawaited, "coroutine has no stack of one that lay in its place before [R83]") {
  std::optional<Coro<int>> noted;
  testing::run([&]() -> Coro<> {
    noted.emplace(child(1));
    co_return;
  }(), {.debug = true});
  testing::run(sleep(1s));  // frames come by the fast way again, unless it would forget the note
  noted.reset();
  forget(2);
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "was never awaited"), 2u) << text;
  EXPECT_EQ(count_in(text, "Made at"), 1u) << text;
}

SYNC_TEST(Unawaited, "coroutine has none when debug mode is over [R83]") {
  testing::run(sleep(1s), {.debug = true});
  testing::run([]() -> Coro<> {
    forget(1);
    get_running_loop().set_debug(true);
    forget(2);
    get_running_loop().set_debug(false);
    forget(3);
    co_return;
  }());
  const std::string text = test::take_stderr();
  EXPECT_EQ(count_in(text, "was never awaited"), 3u) << text;
  EXPECT_EQ(count_in(text, "Made at"), 1u) << text;
}

}  // namespace
}  // namespace asyncio
