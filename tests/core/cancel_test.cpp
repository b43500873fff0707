// Cancellation is a counter and an edge: who gets it, when, how often, and what wins.
// SPDX-License-Identifier: MIT
#include <asyncio/task.hpp>

#include "support/async_test.hpp"
#include "support/small_stack.hpp"

#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

// Waits for `what`; writes down if a cancellation came out, and lets it pass.
template <class A>
Coro<> watch(A what, Events& events, std::string name) {
  try {
    co_await std::move(what);
    events.push_back(name + " done");
  } catch (const CancelledError&) {
    events.push_back(name + " C");
    throw;
  }
}

// Swallows one cancellation.
Coro<int> refuse(Events& events) {
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    events.push_back("inner refused");
  }
  co_return 42;
}

Future<> make_future() { return get_running_loop().create_future<>(); }

// ---- the request

ASYNC_TEST(Cancel, "is a request: delivered on the next turn, counted at once [R13]") {
  auto task = create_task(sleep(1h));
  co_await sleep(0s);
  const bool asked = task.cancel();
  EXPECT_TRUE(asked);
  EXPECT_FALSE(task.done());
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(task.cancelling(), 1);
  co_await sleep(0s);
  EXPECT_TRUE(task.cancelled());
}

ASYNC_TEST(Cancel, "never enters the body of a task that has not started [R15] [C7]") {
  Events events;
  auto held = std::make_shared<int>(0);
  auto task = create_task([](Events& log, std::shared_ptr<int>) -> Coro<> {
    log.push_back("body");
    co_await sleep(0s);
    log.push_back("fin");
  }(events, held));
  task.cancel();
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(events, Events{});
  EXPECT_EQ(held.use_count(), 1);
}

ASYNC_TEST(Cancel, "carries its message to the task and to who awaits it [R24]") {
  auto task = create_task(sleep(1h));
  co_await sleep(0s);
  task.cancel("enough");
  std::string message;
  try {
    co_await task;
  } catch (const CancelledError& error) {
    message = error.message();
  }
  EXPECT_EQ(message, "enough");
}

ASYNC_TEST(Cancel, "carries its message through a chain of tasks [R24]") {
  Events messages;
  auto inner = create_task([](Events& log) -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError& error) {
      log.emplace_back(error.message());
      throw;
    }
  }(messages));
  auto outer = create_task([](Task<> task) -> Coro<> { co_await task; }(inner));
  co_await sleep(0s);
  co_await sleep(0s);
  outer.cancel("from above");
  try {
    co_await outer;
  } catch (const CancelledError& error) {
    messages.emplace_back(error.message());
  }
  EXPECT_EQ(messages, (Events{"from above", "from above"}));
}

ASYNC_TEST(Cancel, "keeps the message of a task that had not started [R24]") {
  auto task = create_task(sleep(1h));
  task.cancel("too late");
  const auto outcome = co_await task.join();
  std::string message;
  try {
    outcome.value();
  } catch (const CancelledError& error) {
    message = error.message();
  }
  EXPECT_EQ(message, "too late");
}

// ---- to whom it goes

ASYNC_TEST(Cancel, "goes to the innermost await first [R14]") {
  Events events;
  auto inner = create_task(watch(sleep(1h), events, "inner"));
  auto outer = create_task(watch(inner, events, "outer"));
  co_await sleep(0s);
  co_await sleep(0s);
  outer.cancel();
  const auto outcome = co_await outer.join();
  EXPECT_EQ(events, (Events{"inner C", "outer C"}));
  EXPECT_TRUE(inner.cancelled() && outcome.cancelled());
}

ASYNC_TEST(Cancel, "that the inner task refuses leaves the outer one going, its count at 1 [R14]") {
  Events events;
  auto inner = create_task(refuse(events));
  auto outer = create_task([](Task<int> task, Events& log) -> Coro<int> {
    const int value = co_await task;
    log.push_back("outer goes on");
    co_return value;
  }(inner, events));
  co_await sleep(0s);
  co_await sleep(0s);
  outer.cancel();
  const int value = co_await outer;
  EXPECT_EQ(value, 42);
  EXPECT_EQ(events, (Events{"inner refused", "outer goes on"}));
  EXPECT_EQ(outer.cancelling(), 1);
  EXPECT_FALSE(outer.cancelled());
}

ASYNC_TEST(Cancel, "of an awaited future ends in the waiter [R14]") {
  Events events;
  auto future = make_future();
  auto task = create_task(watch(future, events, "task"));
  co_await sleep(0s);
  task.cancel();
  EXPECT_TRUE(future.cancelled());
  static_cast<void>(co_await task.join());
  EXPECT_EQ(events, (Events{"task C"}));
}

ASYNC_TEST(Cancel, "of one awaiter of a future cancels it for all [R23]") {
  Events events;
  auto future = make_future();
  auto a = create_task(watch(future, events, "a"));
  auto b = create_task(watch(future, events, "b"));
  co_await sleep(0s);
  a.cancel();
  static_cast<void>(co_await a.join());
  static_cast<void>(co_await b.join());
  EXPECT_EQ(events, (Events{"a C", "b C"}));
  EXPECT_EQ(b.cancelling(), 0);
}

ASYNC_TEST(Cancel, "of one awaiter of a task cancels it for all [R23]") {
  Events events;
  auto shared = create_task(sleep(1h));
  auto a = create_task(watch(shared, events, "a"));
  auto b = create_task(watch(shared, events, "b"));
  co_await sleep(0s);
  a.cancel();
  static_cast<void>(co_await a.join());
  static_cast<void>(co_await b.join());
  EXPECT_EQ(events, (Events{"a C", "b C"}));
  EXPECT_TRUE(shared.cancelled());
}

ASYNC_TEST(Cancel, "does not pass through join() [R23]") {
  auto inner = create_task(sleep(1s, 7));
  auto outer = create_task([](Task<int> task) -> Coro<> {
    static_cast<void>(co_await task.join());
  }(inner));
  co_await sleep(0s);
  outer.cancel();
  static_cast<void>(co_await outer.join());
  EXPECT_TRUE(outer.cancelled());
  EXPECT_FALSE(inner.done());
  const int value = co_await inner;
  EXPECT_EQ(value, 7);
}

Coro<> await_task(Task<>& task) { co_await task; }

Coro<> cancel_a_long_chain() {
  constexpr std::size_t length = 100'000;
  std::vector<Task<>> tasks(length);
  tasks[0] = create_task(sleep(1h));
  for (std::size_t i = 1; i < length; ++i) tasks[i] = create_task(await_task(tasks[i - 1]));
  co_await sleep(0s);
  tasks.back().cancel();
  static_cast<void>(co_await tasks.back().join());
  std::size_t cancelled = 0;
  int requests = 0;
  for (Task<>& task : tasks) {
    cancelled += task.cancelled();
    requests += task.cancelling();
  }
  EXPECT_EQ(cancelled, length);
  EXPECT_EQ(requests, static_cast<int>(length));
}

// In a thread, whose lists of free frames go with it: this one makes long ones.
SYNC_TEST(Cancel, "ends a chain of 100,000 tasks, each once, from the inside out [R14]") {
  EXPECT_TRUE(test::on_small_stack([] { testing::run(cancel_a_long_chain()); }));
}

ASYNC_TEST(Cancel, "ends a cycle of two tasks that await each other [R14]") {
  Task<> a;
  Task<> b;
  a = create_task(await_task(b));
  b = create_task(await_task(a));
  co_await sleep(0s);
  co_await sleep(0s);
  a.cancel();
  static_cast<void>(co_await a.join());
  static_cast<void>(co_await b.join());
  EXPECT_TRUE(a.cancelled());
  EXPECT_TRUE(b.cancelled());
}

ASYNC_TEST(Cancel, "a task that awaits itself gets an error instead of waiting for ever") {
  Task<> self;
  self = create_task([](Task<>& me) -> Coro<> { co_await me; }(self));
  bool refused = false;
  try {
    co_await self;
  } catch (const RuntimeError&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

// ---- once per request

ASYNC_TEST(Cancel, "asked for twice before delivery comes once, and counts two [R16]") {
  Events events;
  auto task = create_task([](Events& log) -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      log.push_back("first");
    }
    co_await sleep(1s);
    log.push_back("survived");
  }(events));
  co_await sleep(0s);
  task.cancel();
  task.cancel();
  events.push_back(std::to_string(task.cancelling()));
  co_await task;
  EXPECT_EQ(events, (Events{"2", "first", "survived"}));
}

ASYNC_TEST(Cancel, "interrupts clean-up only when asked again [R21]") {
  Events events;
  auto task = create_task([](Events& log) -> Coro<> {
    bool cancelled = false;
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      cancelled = true;
    }
    co_await sleep(1s);
    log.push_back("first clean-up");
    co_await sleep(1h);
    log.push_back("never");
    if (cancelled) throw CancelledError();
  }(events));
  co_await sleep(0s);
  task.cancel();
  co_await sleep(2s);
  task.cancel();
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(events, (Events{"first clean-up"}));
}

// ---- a task that cancels itself, or was about to go on

ASYNC_TEST(Cancel, "of oneself comes at the next await that suspends [R17] [C7]") {
  Events events;
  auto task = create_task([](Events& log) -> Coro<> {
    current_task()->cancel();
    log.push_back("runs on");
    co_await []() -> Coro<> { co_return; }();
    log.push_back("a ready await does not suspend");
    co_await sleep(1h);
    log.push_back("never");
  }(events));
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(events, (Events{"runs on", "a ready await does not suspend"}));
}

ASYNC_TEST(Cancel, "of oneself comes at sleep(0s) too [R17] [R11]") {
  auto task = create_task([]() -> Coro<int> {
    current_task()->cancel();
    co_await sleep(0s);
    co_return 1;
  });
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
}

ASYNC_TEST(Cancel, "of oneself drops the value of a task that returns before [R17] [R20]") {
  auto held = std::make_shared<int>(0);
  auto task = create_task([held]() -> Coro<std::shared_ptr<int>> {
    current_task()->cancel();
    co_return held;
  });
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(held.use_count(), 1);
}

ASYNC_TEST(Cancel, "in the turn of the completion wins, the value is dropped [R18] [C7]") {
  Events events;
  auto future = get_running_loop().create_future<int>();
  auto task = create_task(watch(future, events, "task"));
  co_await sleep(0s);
  future.set_result(1);
  events.push_back(task.cancel() ? "asked" : "refused");
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(events, (Events{"asked", "task C"}));
  EXPECT_EQ(future.result(), 1);
}

ASYNC_TEST(Cancel, "of a task whose sleep is over but that has not run yet still comes [R18]") {
  Events events;
  auto task = create_task(watch(sleep(1s), events, "task"));
  get_running_loop().call_later(1s, [&] { events.push_back(task.cancel() ? "asked" : "refused"); });
  const auto outcome = co_await task.join();
  EXPECT_EQ(events.size(), 2u);
  EXPECT_EQ(outcome.cancelled(), events.back() == "task C");
}

// ---- uncancel

ASYNC_TEST(Uncancel, "takes back a request that has interrupted nothing yet [R19]") {
  auto task = create_task([]() -> Coro<int> {
    current_task()->cancel();
    const int before = current_task()->cancelling();
    const int after = current_task()->uncancel();
    co_await sleep(1s);
    co_return before * 100 + after * 10;
  });
  const int counted = co_await task;
  EXPECT_EQ(counted, 100);
}

ASYNC_TEST(Uncancel, "takes back the request of a task that has not started [R19]") {
  auto task = create_task([]() -> Coro<int> { co_return 42; });
  task.cancel();
  const int left = task.uncancel();
  const int value = co_await task;
  EXPECT_EQ(left, 0);
  EXPECT_EQ(value, 42);
}

ASYNC_TEST(Uncancel, "takes back the request of a task whose await had completed [R19]") {
  auto future = make_future();
  auto task = create_task([](Future<> f) -> Coro<int> {
    co_await f;
    co_return 42;
  }(future));
  co_await sleep(0s);
  future.set_result();
  task.cancel();
  task.uncancel();
  const int value = co_await task;
  EXPECT_EQ(value, 42);
}

ASYNC_TEST(Uncancel, "cannot take back a cancellation that has interrupted an await [R19]") {
  auto task = create_task(sleep(1h));
  co_await sleep(0s);
  task.cancel();
  task.uncancel();
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
}

ASYNC_TEST(Uncancel, "does not go below 0 [R19] [C5]") {
  auto task = create_task(sleep(1s));
  EXPECT_EQ(task.uncancel(), 0);
  EXPECT_EQ(task.uncancel(), 0);
  EXPECT_EQ(task.cancelling(), 0);
  co_await task;
}

ASYNC_TEST(Uncancel, "keeps the request while another one is left [R19]") {
  auto task = create_task([]() -> Coro<> {
    current_task()->cancel();
    current_task()->cancel();
    current_task()->uncancel();
    co_await sleep(1h);
  });
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNC_TEST(Uncancel, "lets who asked compare with the count it saw on entry [R22] [C5]") {
  auto task = create_task([]() -> Coro<std::string> {
    const int on_entry = current_task()->cancelling();
    get_running_loop().call_later(1s, [me = *current_task()] { me.cancel(); });
    std::string end;
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      end = current_task()->uncancel() <= on_entry ? "mine" : "somebody's";
    }
    co_return end;
  });
  const std::string end = co_await task;
  EXPECT_EQ(end, "mine");
  EXPECT_EQ(task.cancelling(), 0);
}

// ---- how a task ends

ASYNC_TEST(Cancel, "thrown by the body itself makes the task cancelled [R20]") {
  auto task = create_task([]() -> Coro<> {
    co_await sleep(0s);
    throw CancelledError("my own");
  });
  const auto outcome = co_await task.join();
  EXPECT_TRUE(task.cancelled());
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(task.cancelling(), 0);
}

ASYNC_TEST(Cancel, "loses against another error [R20]") {
  auto task = create_task([]() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
    }
    throw std::runtime_error("wins");
  });
  co_await sleep(0s);
  task.cancel();
  const auto outcome = co_await task.join();
  EXPECT_FALSE(task.cancelled());
  EXPECT_THROW(outcome.value(), std::runtime_error);
}

ASYNC_TEST(Cancel, "that was caught loses against a value [R20]") {
  Events events;
  auto task = create_task(refuse(events));
  co_await sleep(0s);
  task.cancel();
  const int value = co_await task;
  EXPECT_EQ(value, 42);
  EXPECT_FALSE(task.cancelled());
}

ASYNC_TEST(Cancel, "that is swallowed by catch (...) is reported in debug mode [C15]") {
  get_running_loop().set_debug(true);
  auto reports = test::record_reports();
  auto task = create_task(
      []() -> Coro<> {
        try {
          co_await sleep(1h);
        } catch (...) {
        }
      },
      {.name = "swallower"});
  co_await sleep(0s);
  task.cancel();
  co_await task;
  EXPECT_EQ(*reports, (Events{"task 'swallower' was cancelled and returned all the same: let "
                              "CancelledError pass, or uncancel() what was caught"}));
}

ASYNC_TEST(Cancel, "that was taken back is not reported in debug mode [C15]") {
  get_running_loop().set_debug(true);
  auto reports = test::record_reports();
  auto task = create_task([]() -> Coro<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      current_task()->uncancel();
    }
  });
  co_await sleep(0s);
  task.cancel();
  co_await task;
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Cancel, "passes catch (const std::exception&) [R20]") {
  auto task = create_task([]() -> Coro<int> {
    try {
      co_await sleep(1h);
    } catch (const std::exception&) {
    }
    co_return 1;
  });
  co_await sleep(0s);
  task.cancel();
  const auto outcome = co_await task.join();
  EXPECT_TRUE(outcome.cancelled());
}

struct NotesItsEnd {
  Events& events;
  std::string word;
  NotesItsEnd(Events& log, std::string what) : events(log), word(std::move(what)) {}
  NotesItsEnd(const NotesItsEnd&) = delete;
  NotesItsEnd& operator=(const NotesItsEnd&) = delete;
  ~NotesItsEnd() { events.push_back(word); }
};

Coro<> nested(Events& events, int depth) {
  const NotesItsEnd note(events, std::to_string(depth));
  if (depth == 0) co_await sleep(1h);
  else co_await nested(events, depth - 1);
}

ASYNC_TEST(Cancel, "runs the destructors from the inside out [R14]") {
  Events events;
  auto task = create_task(nested(events, 3));
  co_await sleep(0s);
  task.cancel();
  static_cast<void>(co_await task.join());
  EXPECT_EQ(events, (Events{"0", "1", "2", "3"}));
}

SYNC_TEST(Cancel, "frees frames from the inside out when a pending loop is closed [R73] [A4]") {
  Events events;
  auto loop = new_event_loop();
  auto task = loop->create_task(nested(events, 3));
  loop->call_soon([&] { loop->stop(); });
  loop->run_forever();
  loop->close();
  EXPECT_EQ(events, (Events{"0", "1", "2", "3"}));
  EXPECT_TRUE(task.cancelled());
}

}  // namespace
}  // namespace asyncio
