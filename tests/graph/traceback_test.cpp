// A traceback names the coroutines that an exception crossed, as Python does.
// SPDX-License-Identifier: MIT
#include <asyncio/graph.hpp>

#include "support/async_test.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/generator.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>
#include <asyncio/task_group.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

struct ValueError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where the awaits below stand.
int inner_line = 0;
int middle_line = 0;
int outer_line = 0;

Coro<> inner() {
  inner_line = __LINE__; co_await sleep(1s);
  throw ValueError("bad");
}
Coro<> middle() {
  middle_line = __LINE__; co_await inner();
}
Coro<> outer() {
  outer_line = __LINE__; co_await middle();
}

// "function:line" of each entry, without the namespaces of this file.
Events entries(const std::vector<FrameEntry>& stack) {
  Events lines;
  for (const FrameEntry& entry : stack) {
    lines.push_back(entry.function.substr(entry.function.rfind("::") + 2) + ":" +
                    std::to_string(entry.line));
  }
  return lines;
}
std::string at(const char* function, int line) {
  return std::string(function) + ":" + std::to_string(line);
}

// What `coro` throws.
template <class A>
Coro<std::exception_ptr> error_of(A awaitable) {
  std::exception_ptr error;
  try {
    co_await std::move(awaitable);
  } catch (...) {
    error = std::current_exception();
  }
  co_return error;
}

// The part of a traceback from `first` on: without the test's own coroutines around it.
Events from(const Events& all, const std::string& first) {
  return Events(std::find(all.begin(), all.end(), first), all.end());
}

ASYNC_TEST(Traceback, "gives function and line of every co_await crossed, outermost first [A5]") {
  const std::exception_ptr error = co_await error_of(outer());
  const Events lines = entries(traceback(error));
  EXPECT_EQ(from(lines, at("outer", outer_line)),
            (Events{at("outer", outer_line), at("middle", middle_line), at("inner", inner_line)}));
}

ASYNC_TEST(Traceback, "begins with the coroutine that catches the exception [A5]") {
  const std::exception_ptr error = co_await error_of(outer());
  EXPECT_EQ(traceback(error).size(), 4u);
  EXPECT_NE(traceback(error).front().function.find("error_of"), std::string::npos);
}

ASYNC_TEST(Traceback, "gives the file [A5]") {
  const std::exception_ptr error = co_await error_of(inner());
  const std::string file = traceback(error).back().file;
  EXPECT_NE(file.find("graph/traceback_test.cpp"), std::string::npos) << file;
}

ASYNC_TEST(Traceback, "is the same when nothing was suspended [A5]") {
  const auto thrower = []() -> Coro<> {
    throw ValueError("at once");
    co_return;
  };
  const std::exception_ptr error = co_await error_of(thrower());
  EXPECT_EQ(traceback(error).size(), 2u);
}

int task_line = 0;
Coro<> await_task(Task<> task) {
  task_line = __LINE__; co_await task;
}

ASYNC_TEST(Traceback, "crosses co_await task [A5]") {
  auto task = create_task(outer());
  const std::exception_ptr error = co_await error_of(await_task(task));
  const Events lines = entries(traceback(error));
  EXPECT_EQ(from(lines, at("await_task", task_line)),
            (Events{at("await_task", task_line), at("outer", outer_line),
                    at("middle", middle_line), at("inner", inner_line)}));
}

int gather_line = 0;
Coro<> gather_them() {
  gather_line = __LINE__; co_await gather(outer(), sleep(5s));
}

ASYNC_TEST(Traceback, "crosses gather [A5]") {
  const std::exception_ptr error = co_await error_of(gather_them());
  const Events lines = entries(traceback(error));
  EXPECT_EQ(from(lines, at("gather_them", gather_line)),
            (Events{at("gather_them", gather_line), at("outer", outer_line),
                    at("middle", middle_line), at("inner", inner_line)}));
}

int first_line = 0;
int second_line = 0;
Coro<> first_awaiter(Task<> task) {
  first_line = __LINE__; co_await task;
}
Coro<> second_awaiter(Task<> task) {
  second_line = __LINE__; co_await task;
}

ASYNC_TEST(Traceback, "is that of the last co_await, where two tasks await one failed task [A5]") {
  auto task = create_task(inner());
  auto first = create_task(first_awaiter(task));
  auto second = create_task(second_awaiter(task));
  static_cast<void>(co_await first.join());
  static_cast<void>(co_await second.join());
  EXPECT_EQ(entries(traceback(task.exception())),
            (Events{at("second_awaiter", second_line), at("inner", inner_line)}));
}

ASYNC_TEST(Traceback, "does not grow when a task is awaited again [A5]") {
  auto task = create_task(inner());
  static_cast<void>(co_await error_of(await_task(task)));
  const std::exception_ptr error = co_await error_of(await_task(task));
  const Events lines = entries(traceback(error));
  EXPECT_EQ(from(lines, at("await_task", task_line)),
            (Events{at("await_task", task_line), at("inner", inner_line)}));
}

int rethrow_line = 0;
Coro<> rethrows() {
  try {
    rethrow_line = __LINE__; co_await inner();
  } catch (const ValueError&) {
    throw;
  }
}

ASYNC_TEST(Traceback, "names a coroutine once that catches and rethrows [A5]") {
  const std::exception_ptr error = co_await error_of(rethrows());
  const Events lines = entries(traceback(error));
  EXPECT_EQ(from(lines, at("rethrows", rethrow_line)),
            (Events{at("rethrows", rethrow_line), at("inner", inner_line)}));
}

ASYNC_TEST(Traceback, "of a new exception begins where it was thrown [A5]") {
  const auto translates = []() -> Coro<> {
    try {
      co_await inner();
    } catch (const ValueError&) {
      throw std::runtime_error("another");
    }
  };
  const std::exception_ptr error = co_await error_of(translates());
  EXPECT_EQ(traceback(error).size(), 2u);
}

ASYNC_TEST(Traceback, "of a cancellation names the await that was cut [R14]") {
  auto task = create_task(outer());
  co_await sleep(0s);
  task.cancel();
  const auto outcome = co_await task.join();
  EXPECT_EQ(entries(traceback(outcome.exception())),
            (Events{at("outer", outer_line), at("middle", middle_line), at("inner", inner_line)}));
}

int deep_line = 0;
int bottom_line = 0;
Coro<> deep(int depth) {
  if (depth == 0) {
    bottom_line = __LINE__; co_await inner();
    co_return;
  }
  deep_line = __LINE__; co_await deep(depth - 1);
}

int nap_line = 0;
Coro<> nap() {
  nap_line = __LINE__; co_await sleep(1h);
}

ASYNC_TEST(Traceback, "of a cancelled task that was one coroutine deep is there each time [R14]") {
  auto task = create_task(nap());
  co_await sleep(0s);
  task.cancel("no more");
  const Events expected = {at("nap", nap_line)};
  EXPECT_EQ(entries(traceback((co_await task.join()).exception())), expected);
  EXPECT_EQ(entries(traceback((co_await task.join()).exception())), expected);
  const std::exception_ptr error = co_await error_of(await_task(task));
  EXPECT_EQ(from(entries(traceback(error)), at("await_task", task_line)),
            (Events{at("await_task", task_line), at("nap", nap_line)}));
  EXPECT_NE(format_exception(error).find("CancelledError: no more"), std::string::npos);
}

Coro<> other_words() {
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    throw CancelledError("words of its own");
  }
}

ASYNC_TEST(Traceback, "of a cancelled task keeps the words of the error it ended with [R14]") {
  auto task = create_task(other_words());
  co_await sleep(0s);
  task.cancel("words of the request");
  const auto outcome = co_await task.join();
  EXPECT_NE(format_exception(outcome.exception()).find("words of its own"), std::string::npos);
}

ASYNC_TEST(Traceback, "keeps the order of many places [A5]") {
  const std::exception_ptr error = co_await error_of(deep(100));
  const Events lines = entries(traceback(error));
  EXPECT_EQ(from(lines, at("deep", deep_line)).size(), 102u);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), at("deep", deep_line)), 100);
  EXPECT_EQ(from(lines, at("deep", bottom_line)),
            (Events{at("deep", bottom_line), at("inner", inner_line)}));
}

Coro<> await_from_thread(std::exception_ptr error) {
  for (int i = 0; i < 30; ++i) {
    try {
      co_await [](std::exception_ptr again) -> Coro<> {
        co_await sleep(0s);
        std::rethrow_exception(again);
      }(error);
    } catch (...) {
      static_cast<void>(traceback(error));
    }
  }
}

SYNC_TEST(Traceback, "of one exception may grow and be read in two threads at once [A5]") {
  for (int round = 0; round < 10; ++round) {
    auto error = std::make_exception_ptr(ValueError("shared"));
    std::thread other([error] { run(await_from_thread(error)); });
    run(await_from_thread(std::exchange(error, nullptr)));
    other.join();
  }
}

SYNC_TEST(Traceback, "of what leaves run begins with main [A5]") {
  std::exception_ptr error;
  try {
    run(middle());
  } catch (...) {
    error = std::current_exception();
  }
  EXPECT_EQ(entries(traceback(error)),
            (Events{at("middle", middle_line), at("inner", inner_line)}));
}

SYNC_TEST(Traceback, "of an exception that crossed no coroutine is empty [A5]") {
  EXPECT_TRUE(traceback(std::make_exception_ptr(ValueError("plain"))).empty());
  EXPECT_TRUE(traceback(nullptr).empty());
}

// ---- beside the exception

struct Counted {
  std::shared_ptr<int> alive;
  explicit Counted(std::shared_ptr<int> count) : alive(std::move(count)) {}
};

Coro<> throw_counted(std::shared_ptr<int> count) {
  co_await sleep(0s);
  throw Counted(count);
}

ASYNC_TEST(Traceback, "holds no reference to its exception, and dies with it [A5]") {
  auto count = std::make_shared<int>(0);
  std::exception_ptr error = co_await error_of(throw_counted(count));
  EXPECT_FALSE(traceback(error).empty());
  EXPECT_EQ(count.use_count(), 2);
  error = nullptr;
  EXPECT_EQ(count.use_count(), 1);
}

const void* address_of(const std::exception_ptr& error) {
  const void* address;
  std::memcpy(&address, &error, sizeof address);
  return address;
}

ASYNC_TEST(Traceback, "is never inherited by a new exception at the same address [A5]") {
  int inherited = 0;
  for (int i = 0; i < 100; ++i) {
    std::exception_ptr error = co_await error_of(throw_counted(nullptr));
    const void* const address = address_of(error);
    error = nullptr;
    const std::exception_ptr fresh = std::make_exception_ptr(Counted(nullptr));
    if (address_of(fresh) == address && !traceback(fresh).empty()) ++inherited;
  }
  EXPECT_EQ(inherited, 0);
}

ASYNC_TEST(Traceback, "runs the exception's own destructor, once [A5]") {
  auto count = std::make_shared<int>(0);
  {
    auto task = create_task(throw_counted(count));
    static_cast<void>(co_await task.join());
  }
  EXPECT_EQ(count.use_count(), 1);
}

// ---- texts

ASYNC_TEST(Format, "an exception as Python prints it [A5]") {
  const std::exception_ptr error = co_await error_of(inner());
  const std::string text = format_exception(error);
  const std::string end = ", line " + std::to_string(inner_line) +
                          ", in asyncio::(anonymous namespace)::inner\n"
                          "asyncio::(anonymous namespace)::ValueError: bad\n";
  EXPECT_EQ(text.find("Traceback (most recent await last):\n  File \""), 0u) << text;
  EXPECT_EQ(text.substr(text.size() - std::min(text.size(), end.size())), end);
}

SYNC_TEST(Format, "an exception without a traceback is one line [A5]") {
  EXPECT_EQ(format_exception(std::make_exception_ptr(std::runtime_error("plain"))),
            "std::runtime_error: plain\n");
  EXPECT_EQ(format_exception(std::make_exception_ptr(42)), "int: 42\n");
  EXPECT_EQ(format_exception(std::make_exception_ptr(CancelledError("enough"))),
            "asyncio::CancelledError: enough\n");
}

// Throws ValueError("no price"), with what inner() throws nested in it.
Coro<> wrapped() {
  const std::exception_ptr error = co_await error_of(inner());
  try {
    std::rethrow_exception(error);
  } catch (...) {
    std::throw_with_nested(ValueError("no price"));
  }
}

ASYNC_TEST(Format, "what is nested in an error comes first, as its cause [A5]") {
  const std::string text = format_exception(co_await error_of(wrapped()));
  const std::string type = "asyncio::(anonymous namespace)::ValueError: ";
  const std::size_t cause = text.find("::inner\n" + type + "bad\n");
  const std::size_t effect = text.find(
      "\n\nThe above exception was the direct cause of the following exception:\n\n"
      "Traceback (most recent await last):\n");
  EXPECT_LT(cause, effect) << text;
  EXPECT_NE(effect, std::string::npos) << text;
  EXPECT_NE(text.find("::wrapped\n" + type + "no price\n", effect), std::string::npos) << text;
}

ASYNC_TEST(Format, "what is nested in an error of a group stays in its branch [A5]") {
  const std::exception_ptr error = co_await error_of(wrapped());
  const std::string text = format_exception(
      std::make_exception_ptr(ExceptionGroup("group", {error})));
  EXPECT_NE(text.find("  | \n  | The above exception was the direct cause of"), std::string::npos)
      << text;
}

SYNC_TEST(Format, "a group is a tree [C18]") {
  const auto make = [](const char* text) {
    return std::make_exception_ptr(std::runtime_error(text));
  };
  const auto nested = std::make_exception_ptr(ExceptionGroup("inner", {make("b"), make("c")}));
  const auto error = std::make_exception_ptr(ExceptionGroup("outer", {make("a"), nested}));
  EXPECT_EQ(format_exception(error),
            "asyncio::ExceptionGroup: outer (2 sub-exceptions)\n"
            "  +---------------- 1 ----------------\n"
            "  | std::runtime_error: a\n"
            "  +---------------- 2 ----------------\n"
            "  | asyncio::ExceptionGroup: inner (2 sub-exceptions)\n"
            "  |   +---------------- 1 ----------------\n"
            "  |   | std::runtime_error: b\n"
            "  |   +---------------- 2 ----------------\n"
            "  |   | std::runtime_error: c\n"
            "  |   +------------------------------------\n"
            "  +------------------------------------\n");
}

ASYNC_TEST(Format, "print_exception writes the same, to a stream or to stderr [A5]") {
  const std::exception_ptr error = co_await error_of(outer());
  std::ostringstream out;
  print_exception(error, out);
  print_exception(error);
  EXPECT_EQ(out.str(), format_exception(error));
  EXPECT_EQ(test::take_stderr(), format_exception(error));
}

ASYNC_TEST(Format, "the default exception handler prints the task's name and the traceback [R80]") {
  auto task = create_task(middle(), {.name = "worker"});
  co_await sleep(2s);
  task = {};
  const std::string text = test::take_stderr();
  EXPECT_EQ(text.find("Task exception was never retrieved\n  task: worker\nTraceback"), 0u) << text;
  EXPECT_NE(text.find("::middle\n"), std::string::npos) << text;
  EXPECT_NE(text.find("ValueError: bad\n"), std::string::npos) << text;
}

ASYNC_TEST(Traceback, "leaves out the library's own coroutines, bodies of any type [A5]") {
  const auto fails = []() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(inner());
      co_await sleep(2s);
    });
  };
  const std::exception_ptr error = co_await error_of(fails());
  for (const FrameEntry& entry : traceback(error)) {
    EXPECT_NE(entry.function, "") << entry.file << ":" << entry.line;
    EXPECT_EQ(entry.file.find("include/asyncio/"), std::string::npos) << entry.file;
  }
}

// ---- the same links, of a task that waits

ASYNC_TEST(Stack, "of a waiting task names the coroutines it is in [A5]") {
  auto task = create_task(outer());
  co_await sleep(0s);
  const auto stack = task.get_stack();
  EXPECT_EQ(entries(stack),
            (Events{at("outer", outer_line), at("middle", middle_line), at("inner", inner_line)}));
  task.cancel();
  static_cast<void>(co_await task.join());
}

ASYNC_TEST(Stack, "of a task that has not started, or has ended, is empty [A5]") {
  auto task = create_task(sleep(0s));
  const std::size_t before = task.get_stack().size();
  co_await task;
  EXPECT_EQ(before, 0u);
  EXPECT_EQ(task.get_stack().size(), 0u);
}

ASYNC_TEST(Stack, "is printed with the task's name [A5]") {
  auto task = create_task(middle(), {.name = "worker"});
  co_await sleep(0s);
  std::ostringstream out;
  task.print_stack(out);
  task.print_stack();
  EXPECT_EQ(out.str().find("Stack for worker (most recent await last):\n  File \""), 0u)
      << out.str();
  EXPECT_EQ(test::take_stderr(), out.str());
  task.cancel();
  static_cast<void>(co_await task.join());
}

ASYNC_TEST(Stack, "of the task that runs names where it is [A5]") {
  const int line = __LINE__ + 1;
  co_await sleep(0s);
  const auto stack = current_task()->get_stack();
  EXPECT_EQ(stack.back().line, line);
}

Coro<> short_sleep() { co_await sleep(1ms); }

ASYNC_TEST(Stack, "of a task that runs does not look at coroutines that have ended [A5]") {
  const int line = __LINE__ + 1;
  co_await short_sleep();
  const auto stack = current_task()->get_stack();
  EXPECT_EQ(stack.back().line, line);
}

AsyncGenerator<int> one_number() {
  co_await short_sleep();
  co_yield 1;
}

ASYNC_TEST(Stack, "of a task that runs does not look at a generator that is gone [A5]") {
  const int line = __LINE__ + 3;
  {
    auto numbers = one_number();
    co_await numbers.next();
  }
  const auto stack = current_task()->get_stack();
  EXPECT_EQ(stack.back().line, line);
}

Coro<> swallow_once() {
  try {
    co_await sleep(1s);
  } catch (const CancelledError&) {
  }
}

SYNC_TEST(Stack, "of a task that ends is empty, also for the exception handler [A5]") {
  std::size_t entries_seen = 100;
  const auto scenario = [&]() -> Coro<> {
    get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext&) {
      for (const AnyTask& task : all_tasks()) {
        if (task.get_name() == "swallower") entries_seen = task.get_stack().size();
      }
    });
    auto task = create_task(swallow_once(), {.name = "swallower"});
    co_await sleep(0s);
    task.cancel();
    co_await task;
  };
  testing::run(scenario(), {.debug = true});
  EXPECT_EQ(entries_seen, 0u);
}

struct AsksForTheStack {
  std::vector<std::size_t>& sizes;
  ~AsksForTheStack() {
    for (const AnyTask& task : all_tasks()) sizes.push_back(task.get_stack().size());
  }
};

Coro<> never_ending() {
  for (;;) {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
    }
  }
}

Coro<> asking(std::vector<std::size_t>& sizes) {
  const AsksForTheStack ask{sizes};
  co_await never_ending();
}

SYNC_TEST(Stack, "of a task that is torn down has no coroutine that is going or gone [A5]") {
  std::vector<std::size_t> sizes;
  {
    auto loop = new_event_loop();
    loop->run_until_complete([&]() -> Coro<> {
      create_task(asking(sizes)).detach();
      co_await sleep(0s);
    }());
    loop->close();
  }
  EXPECT_EQ(sizes, std::vector<std::size_t>{0});
  test::take_stderr();
}

struct NullWhat : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

SYNC_TEST(Traceback, "of an error without words is its type alone") {
  const auto words = [](auto error) { return format_exception(std::make_exception_ptr(error)); };
  EXPECT_NE(words(NullWhat()).find("NullWhat\n"), std::string::npos) << words(NullWhat());
  EXPECT_EQ(words(static_cast<const char*>(nullptr)), "const char*\n");
}

}  // namespace
}  // namespace asyncio
