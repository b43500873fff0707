// to_thread goes there and back with context, result and error, and leaves at once when cancelled.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "support/allocations.hpp"
#include "support/async_test.hpp"

#include <asyncio/context.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/graph.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

int add(int a, int b) { return a + b; }
void do_nothing() {}
[[noreturn]] void fail() { throw std::invalid_argument("no such file"); }

/// A door that a thread waits at until the test opens it.
class Door {
 public:
  void open() {
    open_.store(true);
    open_.notify_all();
  }
  void pass() {
    reached_.store(true);
    reached_.notify_all();
    open_.wait(false);
  }
  void wait_until_reached() { reached_.wait(false); }

 private:
  std::atomic<bool> open_{false};
  std::atomic<bool> reached_{false};
};

// ---- there and back

ASYNC_TEST(ToThread, "gives what the function returns") {
  const int sum = co_await to_thread(add, 1, 2);
  EXPECT_EQ(sum, 3);
  const std::string text = co_await to_thread([](std::string_view word) {
    return std::string(word) + "!";
  }, "hello");
  EXPECT_EQ(text, "hello!");
  co_await to_thread(do_nothing);
}

ASYNC_TEST(ToThread, "runs in another thread while the loop goes on") {
  Door door;
  auto job = create_task(to_thread([&] {
    door.pass();
    return std::this_thread::get_id();
  }));
  co_await sleep(0s);
  door.wait_until_reached();
  co_await sleep(0s);  // the loop turns though the call has not ended
  EXPECT_FALSE(job.done());
  door.open();
  const std::thread::id there = co_await job;
  EXPECT_NE(there, std::this_thread::get_id());
}

ASYNC_TEST(ToThread, "moves arguments in and the result out") {
  auto doubled = co_await to_thread(
      [](std::unique_ptr<int> number) {
        *number *= 2;
        return number;
      },
      std::make_unique<int>(21));
  EXPECT_EQ(*doubled, 42);
}

ASYNC_TEST(ToThread, "gives a reference to what the function refers to") {
  std::array<int, 3> numbers{1, 2, 3};
  int& second = co_await to_thread([&]() -> int& { return numbers[1]; });
  EXPECT_EQ(&second, &numbers[1]);
}

ASYNC_TEST(ToThread, "copies a function that has a name, and arguments that have one") {
  const auto word = std::make_shared<std::string>("hello");
  const auto shout = [word](const std::string& mark) { return *word + mark; };
  std::string mark = "!";
  const std::string text = co_await to_thread(shout, mark);
  EXPECT_EQ(text, "hello!");
  EXPECT_EQ(mark, "!");
  EXPECT_EQ(word.use_count(), 2);
}

ASYNC_TEST(ToThread, "changes what std::ref says, and calls members") {
  std::string text = "a";
  co_await to_thread([](std::string& changed) { changed += "b"; }, std::ref(text));
  co_await to_thread([](std::string& changed) { changed += "c"; }, std::ref(text));
  EXPECT_EQ(text, "abc");
  const std::size_t size = co_await to_thread(&std::string::size, &text);
  EXPECT_EQ(size, 3u);
}

ASYNC_TEST(ToThread, "destroys function and arguments in the thread, before the await ends") {
  struct Tracer {
    explicit Tracer(std::thread::id& place) : where(&place) {}
    Tracer(Tracer&& other) noexcept : where(std::exchange(other.where, nullptr)) {}
    Tracer& operator=(Tracer&&) = delete;
    ~Tracer() {
      if (where) *where = std::this_thread::get_id();
    }
    std::thread::id* where;
  };
  std::thread::id died_in;
  const std::thread::id ran_in =
      co_await to_thread([](const Tracer&) { return std::this_thread::get_id(); },
                         Tracer(died_in));
  EXPECT_EQ(died_in, ran_in);
}

ASYNC_TEST(ToThread, "is lazy: one that nobody awaits does nothing") {
  bool called = false;
  { auto never = to_thread([&] { called = true; }); }
  auto later = to_thread([&] { called = true; });
  co_await sleep(0s);
  EXPECT_FALSE(called);
  auto moved = std::move(later);
  co_await std::move(moved);
  EXPECT_TRUE(called);
}

ASYNC_TEST(ToThread, "throws when it is awaited twice") {
  auto once = to_thread(do_nothing);
  co_await std::move(once);
  bool threw = false;
  try {
    co_await std::move(once);
  } catch (const RuntimeError&) {
    threw = true;
  }
  EXPECT_TRUE(threw);
}

SYNC_TEST(ToThread, "is given to run, create_task and gather like a coroutine") {
  EXPECT_EQ(asyncio::run(to_thread(add, 1, 2)), 3);
  asyncio::run([]() -> Coro<> {
    auto task = create_task(to_thread(add, 3, 4));
    auto [sum, nothing] = co_await gather(to_thread(add, 5, 6), to_thread(do_nothing));
    static_cast<void>(nothing);
    EXPECT_EQ(sum, 11);
    EXPECT_EQ(co_await task, 7);
  }());
}

ASYNC_TEST(ToThread, "brings many calls home") {
  std::vector<ToThread<int>> calls;
  for (int i = 0; i < 500; ++i) calls.push_back(to_thread(add, i, 1));
  const auto sums = co_await gather(std::move(calls));
  int total = 0;
  for (int sum : sums) total += sum;
  EXPECT_EQ(total, 500 * 501 / 2);
}

// ---- errors and context

ASYNC_TEST(ToThread, "throws what the function throws, and the traceback names the await [K5]") {
  std::exception_ptr error;
  try {
    co_await to_thread(fail);
  } catch (const std::invalid_argument& known) {
    EXPECT_STREQ(known.what(), "no such file");
    error = std::current_exception();
  }
  const auto entries = traceback(error);
  EXPECT_FALSE(entries.empty());
  if (!entries.empty()) {
    EXPECT_NE(entries.back().file.find("to_thread_test.cpp"), std::string::npos);
  }
}

ASYNC_TEST(ToThread, "carries the caller's context, and nothing back [R86]") {
  ContextVar<std::string> user{"user", "nobody"};
  auto scope = user.scoped_set("ada");
  std::string seen_there;
  co_await to_thread([&] {
    seen_there = user.get();
    user.set("grace");
  });
  EXPECT_EQ(seen_there, "ada");
  EXPECT_EQ(user.get(), "ada");
  std::string seen_next;
  co_await to_thread([&] { seen_next = user.get(); });
  EXPECT_EQ(seen_next, "ada");
}

ASYNC_TEST(ToThread, "copies the context when it is awaited, not when it is made [R86]") {
  ContextVar<int> number{"number", 1};
  auto call = to_thread([&] { return number.get(); });
  auto scope = number.scoped_set(2);
  const int seen = co_await std::move(call);
  EXPECT_EQ(seen, 2);
}

// ---- cancellation

thread_local int of_this_thread = 0;

ASYNC_TEST(ToThread, "leaves the task in its loop's thread, with what is thread_local [K7]") {
  const auto here = std::this_thread::get_id();
  of_this_thread = 1;
  co_await to_thread([] { of_this_thread = 2; });
  co_await sleep(1s);
  EXPECT_EQ(std::this_thread::get_id(), here);
  EXPECT_EQ(of_this_thread, 1);
}

ASYNC_TEST(ToThread, "returns at once when cancelled, while the call runs on [R87]") {
  Door door;
  std::atomic<bool> finished{false};
  auto job = create_task(to_thread([&] {
    door.pass();
    finished = true;
  }));
  co_await sleep(0s);
  door.wait_until_reached();
  job.cancel();
  co_await job.join();
  EXPECT_TRUE(job.cancelled());
  EXPECT_FALSE(finished);
  door.open();
  co_await get_running_loop().shutdown_default_executor();
  EXPECT_TRUE(finished);
}

ASYNC_TEST(ToThread, "drops the result of a call that nobody waits for any more [R87, C20]") {
  Door door;
  auto value = std::make_shared<int>(1);
  const auto give_copy = [&door, value] {
    door.pass();
    return value;
  };
  auto job = create_task(to_thread(give_copy));
  co_await sleep(0s);
  door.wait_until_reached();
  job.cancel();
  co_await job.join();
  door.open();
  co_await get_running_loop().shutdown_default_executor();
  co_await sleep(0s);
  EXPECT_EQ(value.use_count(), 2);  // ours and give_copy's
}

ASYNC_TEST(ToThread, "reports what a call throws that nobody waits for any more [R87]") {
  auto reports = test::record_reports();
  Door door;
  const auto wait = [](Door& at) -> Coro<> {
    co_await to_thread([&] {
      at.pass();
      fail();
    });
  };
  auto job = create_task(wait(door));
  co_await sleep(0s);
  door.wait_until_reached();
  job.cancel();
  co_await job.join();
  door.open();
  co_await get_running_loop().shutdown_default_executor();
  co_await sleep(1s);
  EXPECT_EQ(reports->size(), 1u);
  const std::string report = reports->empty() ? "nothing" : reports->front();
  EXPECT_EQ(report.find("Exception of a call in a thread was never retrieved:\n  "), 0u) << report;
  EXPECT_NE(report.find(", awaited at\n"), std::string::npos) << report;
  EXPECT_NE(report.find("std::invalid_argument: no such file"), std::string::npos) << report;
}

// Cancels a task that awaits to_thread() in the turn in which its call comes home.
template <class T>
Coro<> cancel_in_the_turn_of_its_call(Task<T> job) {
  EventLoop& loop = get_running_loop();
  loop.set_default_executor(std::make_shared<ThreadPool>(1));
  co_await sleep(0s);
  std::atomic<bool> posted{false};
  auto after = loop.run_in_executor(nullptr, [&] {
    loop.call_soon_threadsafe([&job] { job.cancel(); });
    posted = true;
    posted.notify_all();
  });
  posted.wait(false);  // the loop finds both at once: the call's end, and then the request
  co_await job.join();
  EXPECT_TRUE(job.cancelled());
  co_await after;
}

ASYNC_TEST(ToThread, "reports an error that comes in the turn of a cancellation [R18, R87]") {
  auto reports = test::record_reports();
  co_await cancel_in_the_turn_of_its_call(create_task(to_thread(fail)));
  EXPECT_EQ(reports->size(), 1u);
}

ASYNC_TEST(ToThread, "never runs a call that was cancelled before it began [R87]") {
  get_running_loop().set_default_executor(std::make_shared<ThreadPool>(1));
  Door door;
  bool called = false;
  const auto argument = std::make_shared<int>(1);
  const auto call = [&called, argument] { called = true; };
  auto first = create_task(to_thread([&] { door.pass(); }));
  auto second = create_task(to_thread(call));
  co_await sleep(0s);
  door.wait_until_reached();
  EXPECT_EQ(argument.use_count(), 3);
  second.cancel();
  co_await second.join();
  EXPECT_TRUE(second.cancelled());
  EXPECT_EQ(argument.use_count(), 2);  // what it captured went with it
  door.open();
  co_await first;
  co_await get_running_loop().shutdown_default_executor();
  EXPECT_FALSE(called);
}

ASYNC_TEST(ToThread, "begins nothing in a task that was cancelled before") {
  bool called = false;
  auto job = create_task([&]() -> Coro<> {
    current_task()->cancel();
    co_await to_thread([&] { called = true; });
  });
  co_await job.join();
  EXPECT_TRUE(job.cancelled());
  co_await get_running_loop().shutdown_default_executor();
  EXPECT_FALSE(called);
}

ASYNC_TEST(ToThread, "drops the value when it is cancelled in the turn in which it came [R18]") {
  const auto value = std::make_shared<int>(1);
  const auto give_copy = [value] { return value; };
  co_await cancel_in_the_turn_of_its_call(create_task(to_thread(give_copy)));
  EXPECT_EQ(value.use_count(), 2);
}

ASYNC_TEST(ToThread, "asks a function that takes a stop_token to stop [R87]") {
  std::atomic<bool> began{false};
  std::atomic<bool> stopped{false};
  auto job = create_task(to_thread(
      [&](std::stop_token token, int number) {
        EXPECT_EQ(number, 7);
        began = true;
        while (!token.stop_requested()) std::this_thread::yield();
        stopped = true;
      },
      7));
  while (!began) co_await sleep(0s);
  job.cancel();
  co_await job.join();
  co_await get_running_loop().shutdown_default_executor();
  EXPECT_TRUE(stopped);
}

ASYNC_TEST(ToThread, "asks nobody to stop who is waited for") {
  const bool asked =
      co_await to_thread([](std::stop_token token) { return token.stop_requested(); });
  EXPECT_FALSE(asked);
}

ASYNC_TEST(ToThread, "gives a stop_token by value, by reference and to any type") {
  EXPECT_TRUE(
      co_await to_thread([](const std::stop_token& token) { return token.stop_possible(); }));
  EXPECT_TRUE(co_await to_thread([](std::stop_token&& token) { return token.stop_possible(); }));
  EXPECT_EQ(co_await to_thread(
                [](auto token, int number) {
                  std::stop_callback callback(token, [] {});
                  return token.stop_possible() && !token.stop_requested() ? number : 0;
                },
                7),
            7);
  const std::function<bool(std::stop_token)> function = &std::stop_token::stop_possible;
  EXPECT_TRUE(co_await to_thread(function));
}

Coro<std::string> double_in_thread(std::atomic<int>& ran, std::string text) {
  const auto twice = [&ran](const std::string& word) {
    ++ran;
    return word + word;
  };
  co_return co_await to_thread(twice, text);
}

ASYNC_TEST(ToThread, "touches no frame that is gone, however often it is cancelled [C20]") {
  std::atomic<int> ran{0};
  for (int i = 0; i < 2000; ++i) {
    auto job = create_task(double_in_thread(ran, std::to_string(i)));
    co_await sleep(0s);
    if (i % 3 == 0) std::this_thread::yield();
    job.cancel();
    co_await job.join();
  }
  co_await get_running_loop().shutdown_default_executor();
  EXPECT_LE(ran, 2000);
}

// ---- where there is no thread, no memory or no time

ASYNC_TEST(ToThread, "throws once the default executor is shut down") {
  co_await get_running_loop().shutdown_default_executor();
  bool threw = false;
  try {
    co_await to_thread(do_nothing);
  } catch (const RuntimeError&) {
    threw = true;
  }
  EXPECT_TRUE(threw);
}

ASYNC_TEST(ToThread, "keeps virtual time still while a call is out in the world") {
  Door door;
  const auto before = get_running_loop().now();
  auto alarm = create_task(sleep(1h));
  auto opener = create_task([&door]() -> Coro<> {
    co_await sleep(0s);
    door.wait_until_reached();
    co_await sleep(0s);
    door.open();
  });
  co_await to_thread([&] { door.pass(); });
  EXPECT_EQ(get_running_loop().now(), before);
  co_await opener;
  co_await alarm;
  EXPECT_EQ(get_running_loop().now() - before, 1h);
}

ASYNC_TEST(ToThread, "lets std::bad_alloc out, and the loop goes on") {
  const auto refusals = co_await test::await_with_each_allocation_failing(
      [] { return to_thread(add, 1, 2); });
  EXPECT_GE(refusals.bad_alloc, 3);  // the job, the pool, its first thread
  const int sum = co_await to_thread(add, 1, 2);
  EXPECT_EQ(sum, 3);
}

}  // namespace
}  // namespace asyncio
