// gather gives results in the order of its arguments; every error and cancellation by its rule.
// SPDX-License-Identifier: MIT
#include <asyncio/gather.hpp>

#include "combine/group_children.hpp"
#include "combine/words.hpp"

#include <asyncio/context.hpp>
#include <asyncio/timeout.hpp>

#include <algorithm>
#include <memory>
#include <ranges>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using test::end_of;
using test::Events;
using test::work;

Coro<int> give(int value, nanoseconds after = 1s) {
  co_await sleep(after);
  co_return value;
}
Coro<int> fail(std::string what, nanoseconds after = 1s) {
  co_await sleep(after);
  throw std::runtime_error(what);
}
Coro<> fail_at_once(std::string what) {
  throw std::runtime_error(what);
  co_return;
}
Coro<int> stubborn(nanoseconds time, int value) {
  try {
    co_await sleep(time);
  } catch (const CancelledError&) {
  }
  co_return value;
}
Coro<> note(Events& events, std::string name) {
  events.push_back(name);
  co_return;
}
double seconds() { return get_running_loop().time(); }

// ---- results

ASYNC_TEST(Gather, "gives the results in the order of its arguments, not of completion [R25]") {
  const auto results = co_await gather(give(1, 3s), give(2, 1s), give(3, 2s));
  EXPECT_EQ(results, (std::tuple<int, int, int>(1, 2, 3)));
}

ASYNC_TEST(Gather, "takes as long as its longest child [R25]") {
  const double begin = seconds();
  co_await gather(sleep(1s), sleep(3s), sleep(2s));
  EXPECT_EQ(seconds() - begin, 3.0);
}

ASYNC_TEST(Gather, "runs a task that is given twice once [R25]") {
  int runs = 0;
  auto task = create_task([&]() -> Coro<int> {
    co_await sleep(1s);
    co_return ++runs;
  });
  const auto results = co_await gather(task, task);
  EXPECT_EQ(results, (std::tuple<int, int>(1, 1)));
}

ASYNC_TEST(Gather, "of nothing gives nothing and does not wait [R25]") {
  Events events;
  get_running_loop().call_soon([&] { events.push_back("a turn later"); });
  const std::tuple<> none = co_await gather();
  const std::vector<int> empty = co_await gather(std::vector<Coro<int>>());
  const std::tuple<> settled = co_await gather_settled();
  events.push_back("done");
  EXPECT_EQ(none, settled);
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(events, (Events{"done"}));
  co_await sleep(0s);
}

ASYNC_TEST(Gather, "puts std::monostate where a child has no result") {
  const auto results = co_await gather(sleep(1s), give(7), create_task(sleep(1s)));
  static_assert(std::is_same_v<decltype(results),
                               const std::tuple<std::monostate, int, std::monostate>>);
  EXPECT_EQ(std::get<1>(results), 7);
}

Coro<int&> refer(int& target) { co_return target; }

ASYNC_TEST(Gather, "holds references as std::reference_wrapper") {
  int one = 1;
  int two = 2;
  auto task = create_task(refer(two));
  auto [first, second] = co_await gather(refer(one), task);
  EXPECT_EQ(&first.get(), &one);
  EXPECT_EQ(&second.get(), &two);
}

Coro<std::unique_ptr<int>> give_owned(int value) {
  co_await sleep(1s);
  co_return std::make_unique<int>(value);
}

ASYNC_TEST(Gather, "moves out results that cannot be copied") {
  auto task = create_task(give_owned(2));
  const auto results = co_await gather(give_owned(1), task);
  EXPECT_EQ(*std::get<0>(results), 1);
  EXPECT_EQ(*std::get<1>(results), 2);
}

ASYNC_TEST(Gather, "leaves the result of a task in the task") {
  auto task = create_task(sleep(1s, std::string("kept")));
  const auto results = co_await gather(task);
  EXPECT_EQ(std::get<0>(results), "kept");
  EXPECT_EQ(task.result(), "kept");
}

ASYNC_TEST(Gather, "takes operations, tasks of any type and futures side by side") {
  auto future = get_running_loop().create_future<std::string>();
  const AnyTask any = create_task(give(5));
  get_running_loop().call_later(1s, [=] { future.set_result("set"); });
  const auto results = co_await gather(sleep(1s), future, any, sleep(1s, 4));
  EXPECT_EQ(std::get<1>(results), "set");
  EXPECT_EQ(std::get<3>(results), 4);
}

ASYNC_TEST(Gather, "can be kept and awaited later") {
  auto both = gather(give(1), give(2));
  const auto results = co_await std::move(both);
  EXPECT_EQ(results, (std::tuple<int, int>(1, 2)));
}

// ---- ranges

ASYNC_TEST(Gather, "of a range of coroutines gives a vector in their order [R25]") {
  std::vector<Coro<int>> coros;
  coros.push_back(give(1, 2s));
  coros.push_back(give(2, 1s));
  const std::vector<int> results = co_await gather(std::move(coros));
  EXPECT_EQ(results, (std::vector<int>{1, 2}));
}

ASYNC_TEST(Gather, "of a range of tasks leaves the range to its owner") {
  const std::vector<Task<int>> tasks{create_task(give(1, 2s)), create_task(give(2, 1s))};
  const std::vector<int> results = co_await gather(tasks);
  EXPECT_EQ(results, (std::vector<int>{1, 2}));
  EXPECT_EQ(tasks[0].result(), 1);
}

ASYNC_TEST(Gather, "of a range holds monostates for void and wrappers for references") {
  int target = 1;
  std::vector<Coro<>> sleeps;
  sleeps.push_back(sleep_until(get_running_loop().now() + 1s));
  std::vector<Coro<int&>> references;
  references.push_back(refer(target));
  const std::vector<std::monostate> nothing = co_await gather(std::move(sleeps));
  const std::vector<std::reference_wrapper<int>> wrapped = co_await gather(std::move(references));
  EXPECT_EQ(nothing.size(), 1u);
  EXPECT_EQ(&wrapped[0].get(), &target);
}

ASYNC_TEST(Gather, "with a limit keeps at most so many running, and starts one as one ends") {
  const double begin = seconds();
  Events events;
  const auto timed = [&](int seconds_of_work) -> Coro<int> {
    events.push_back("start " + std::to_string(static_cast<int>(seconds() - begin)));
    co_await sleep(std::chrono::seconds(seconds_of_work));
    co_return seconds_of_work;
  };
  const std::vector<int> times{4, 1, 1, 1};
  std::vector<Coro<int>> coros;
  for (int time : times) coros.push_back(timed(time));
  const std::vector<int> results = co_await gather(std::move(coros), {.limit = 2});
  EXPECT_EQ(events, (Events{"start 0", "start 0", "start 1", "start 2"}));
  EXPECT_EQ(results, times);
  EXPECT_EQ(seconds() - begin, 4.0);
}

ASYNC_TEST(Gather, "limited asks a lazy range for a coroutine only when it may start") {
  Events events;
  const auto make = [&](int i) {
    events.push_back("made " + std::to_string(i));
    return give(i);
  };
  auto task = create_task(gather_limited(2, std::views::iota(0, 3) | std::views::transform(make)));
  co_await sleep(500ms);
  const Events before = events;
  const std::vector<int> results = co_await task;
  EXPECT_EQ(before, (Events{"made 0", "made 1"}));
  EXPECT_EQ(events, (Events{"made 0", "made 1", "made 2"}));
  EXPECT_EQ(results, (std::vector<int>{0, 1, 2}));
}

ASYNC_TEST(Gather, "limited starts nothing more after the first error [R26]") {
  Events events;
  std::vector<Coro<>> coros;
  coros.push_back(fail_at_once("first"));
  coros.push_back(work(events, "sibling", 5s));
  coros.push_back(note(events, "never started"));
  const std::string end = co_await end_of(gather_limited(2, std::move(coros)));
  EXPECT_EQ(end, "first");
  EXPECT_EQ(events, (Events{"sibling C"}));
}

ASYNC_TEST(Gather, "settled with a limit runs everything in spite of errors") {
  std::vector<Coro<int>> coros;
  coros.push_back(fail("first"));
  coros.push_back(give(2));
  const auto outcomes = co_await gather_settled(std::move(coros), {.limit = 1});
  EXPECT_EQ(test::words_of(outcomes[0].exception()), "first");
  EXPECT_EQ(outcomes[1].value(), 2);
}

// ---- starting

ASYNC_TEST(Gather, "that is never awaited starts nothing and makes no task [R28]") {
  Events events;
  const auto tasks_before = get_running_loop().metrics().tasks_made;
  {
    auto unused = gather(note(events, "a"), note(events, "b"));
    co_await sleep(1s);
  }
  EXPECT_EQ(events, Events{});
  EXPECT_EQ(get_running_loop().metrics().tasks_made, tasks_before);
  EXPECT_NE(test::take_stderr().find("note' was never awaited"), std::string::npos);
}

ASYNC_TEST(Gather, "starts its children in order on the turn after it is awaited [R28]") {
  Events events;
  get_running_loop().call_soon([&] { events.push_back("asked before"); });
  co_await gather(note(events, "a"), note(events, "b"));
  EXPECT_EQ(events, (Events{"asked before", "a", "b"}));
}

ASYNC_TEST(Gather, "makes each coroutine a task of its own [R28]") {
  std::size_t tasks = 0;
  const auto count = [&]() -> Coro<> {
    tasks = all_tasks().size();
    co_return;
  };
  co_await gather(count(), sleep(1s));
  EXPECT_EQ(tasks, 3u);
}

ASYNC_TEST(Gather, "gives each coroutine a context of its own [R28] [R85]") {
  ContextVar<int> var("var", 0);
  const auto set = [&](int value) -> Coro<int> {
    const int before = var.get();
    var.set(value);
    co_return before;
  };
  const auto seen = co_await gather(set(1), set(2));
  EXPECT_EQ(seen, (std::tuple<int, int>(0, 0)));
  EXPECT_EQ(var.get(), 0);
}

// ---- errors

ASYNC_TEST(Gather, "throws the first error in order of completion; later ones are silent [R26]") {
  auto reports = test::record_reports();
  auto late = create_task(fail("late", 2s));
  auto early = create_task(fail("early", 1s));
  const std::string end = co_await end_of(gather(std::move(late), std::move(early)));
  co_await sleep(3s);
  EXPECT_EQ(end, "early");
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Gather, "cancels and joins its coroutines before an error leaves it [R26] [R9] [C6]") {
  Events events;
  const std::string end = co_await end_of(
      gather(work(events, "a", 9s), fail("error"), work(events, "b", 9s)));
  events.push_back(end);
  EXPECT_EQ(events, (Events{"a C", "b C", "error"}));
  EXPECT_EQ(all_tasks().size(), 1u);
}

ASYNC_TEST(Gather, "lets children use what its caller owns to their very end [C6]") {
  auto outer = create_task([]() -> Coro<std::string> {
    std::string owned = "owned by the caller";
    const auto append = [&]() -> Coro<> {
      try {
        co_await sleep(9s);
      } catch (const CancelledError&) {
        owned += ", and used";
      }
    };
    co_await end_of(gather(append(), fail("error")));
    co_return owned;
  });
  const std::string owned = co_await outer;
  EXPECT_EQ(owned, "owned by the caller, and used");
}

ASYNC_TEST(Gather, "leaves Tasks running when one of them fails [R26]") {
  auto good = create_task(give(1, 5s));
  auto bad = create_task(fail("error"));
  const double begin = seconds();
  const std::string end = co_await end_of(gather(good, bad));
  EXPECT_EQ(end, "error");
  EXPECT_EQ(seconds() - begin, 1.0);
  EXPECT_EQ(good.cancelling(), 0);
  const int value = co_await good;
  EXPECT_EQ(value, 1);
}

ASYNC_TEST(Gather, "leaves futures pending when a sibling fails [R26]") {
  auto future = get_running_loop().create_future<int>();
  const std::string end = co_await end_of(gather(future, fail("error")));
  EXPECT_EQ(end, "error");
  EXPECT_FALSE(future.done());
}

ASYNC_TEST(Gather, "of mixed arguments cancels what it owns and nothing else [R26]") {
  Events events;
  auto task = create_task(work(events, "task", 5s));
  const std::string end =
      co_await end_of(gather(task, work(events, "coroutine", 5s), fail("error")));
  events.push_back(end);
  co_await task;
  EXPECT_EQ(events, (Events{"coroutine C", "error", "task"}));
}

ASYNC_TEST(Gather, "stays with its error when a sibling refuses to be cancelled [R26]") {
  const std::string end = co_await end_of(gather(stubborn(9s, 1), fail("error")));
  EXPECT_EQ(end, "error");
}

ASYNC_TEST(Gather, "stays with its first error when a sibling fails while it is cancelled [R26]") {
  auto reports = test::record_reports();
  const auto breaks = []() -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
      throw std::runtime_error("second");
    }
  };
  const std::string end = co_await end_of(gather(breaks(), fail("first")));
  EXPECT_EQ(end, "first");
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Gather, "throws when a child fails before it ever waits [C10]") {
  Events events;
  const std::string end = co_await end_of(gather(fail_at_once("at once"), work(events, "b", 9s)));
  EXPECT_EQ(end, "at once");
  EXPECT_EQ(events, (Events{"b C"}));
}

ASYNC_TEST(Gather, "throws the error of a task that had failed before [R26]") {
  auto task = create_task(fail("long ago"));
  co_await task.join();
  Events events;
  const std::string end = co_await end_of(gather(give(1), task, note(events, "never started")));
  EXPECT_EQ(end, "long ago");
  EXPECT_EQ(events, Events{});
}

ASYNC_TEST(Gather, "settled gives an outcome for each and throws for none") {
  auto cancelled = create_task(sleep(9s));
  cancelled.cancel();
  const auto [value, error, nothing, stopped] =
      co_await gather_settled(give(1), fail("error"), sleep(1s), cancelled);
  EXPECT_EQ(value.value(), 1);
  EXPECT_EQ(test::words_of(error.exception()), "error");
  EXPECT_TRUE(nothing.has_value());
  EXPECT_TRUE(stopped.cancelled());
}

// ---- cancelled children

ASYNC_TEST(Gather, "takes a Task that a stranger cancels for an error [R27]") {
  Events events;
  auto victim = create_task(give(1, 5s));
  auto other = create_task(sleep(5s, std::string("v")));
  get_running_loop().call_later(1s, [=] { victim.cancel(); });
  auto both = create_task([=]() -> Coro<> {
    const auto unused = co_await gather(victim, other);
    static_cast<void>(unused);
  });
  auto end = co_await both.join();
  events.push_back(test::words_of(end.exception()));
  events.push_back(both.cancelling() > 0 ? "True" : "False");
  events.push_back(other.done() ? "True" : "False");
  events.push_back(co_await other);
  EXPECT_EQ(events, (Events{"C", "False", "False", "v"}));
}

ASYNC_TEST(Gather, "takes a coroutine that ends cancelled by itself for an error [R27]") {
  Events events;
  const auto gives_up = []() -> Coro<> {
    co_await sleep(1s);
    throw CancelledError();
  };
  const std::string end = co_await end_of(gather(gives_up(), work(events, "sibling", 9s)));
  events.push_back(end);
  EXPECT_EQ(events, (Events{"sibling C", "C"}));
  EXPECT_EQ(current_task()->cancelling(), 0);
}

// ---- being cancelled

ASYNC_TEST(Gather, "cancelled cancels all children, Tasks and futures too, and waits [R28]") {
  Events events;
  auto task = create_task(work(events, "task", 9s));
  auto future = get_running_loop().create_future<>();
  auto all = create_task(gather(work(events, "coroutine", 9s), task, future));
  co_await sleep(1s);
  all.cancel();
  const auto end = co_await all.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"coroutine C", "task C", "C"}));
  EXPECT_TRUE(future.cancelled());
}

ASYNC_TEST(Gather, "settled ends cancelled when it was cancelled [R28]") {
  auto all = create_task(gather_settled(give(1, 9s), give(2, 9s)));
  co_await sleep(1s);
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(Gather, "cancelled ends cancelled though every child swallows it [R28]") {
  auto all = create_task(gather(stubborn(9s, 1), stubborn(9s, 2)));
  co_await sleep(1s);
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(Gather, "cancelled ends cancelled, and reports what its children fail with [R28]") {
  auto reports = test::record_reports();
  const auto breaks = [](std::string words) -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
    }
    throw std::runtime_error(words);
  };
  for (const bool settled : {false, true}) {
    auto all = settled ? AnyTask(create_task(gather_settled(breaks("a"), breaks("b"))))
                       : AnyTask(create_task(gather(breaks("a"), breaks("b"))));
    co_await sleep(1s);
    all.cancel();
    const auto end = co_await all.join();
    EXPECT_TRUE(end.cancelled());
  }
  const std::string report = "Task exception was never retrieved: std::runtime_error: ";
  std::sort(reports->begin(), reports->end());
  EXPECT_EQ(*reports, (Events{report + "a", report + "a", report + "b", report + "b"}));
}

ASYNC_TEST(Gather, "cancelled before its children have started enters none of them [R15]") {
  Events events;
  auto all = create_task(gather(note(events, "a"), note(events, "b")));
  get_running_loop().call_soon([=] { all.cancel(); });  // after its first step, before theirs
  co_await all.join();
  EXPECT_EQ(events, Events{});
  EXPECT_TRUE(all.cancelled());
}

ASYNC_TEST(Gather, "cancelled in the turn in which it would return ends cancelled [R18] [C7]") {
  auto future = get_running_loop().create_future<int>();
  auto all = create_task(gather(future));
  co_await sleep(1s);
  future.set_result(1);
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(Gather, "cancelled in the turn of a first error cancels the Tasks too [R28]") {
  auto reports = test::record_reports();
  auto task = create_task(give(1, 9s));
  auto bad = get_running_loop().create_future<int>();
  auto all = create_task(gather(task, bad));
  co_await sleep(1s);
  bad.set_exception(std::runtime_error("error"));
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_TRUE(task.cancelled());
  bad = {};
  EXPECT_EQ(*reports, (Events{"Future exception was never retrieved: std::runtime_error: error"}));
}

ASYNC_TEST(Gather, "cancelled while it joins after an error cancels the Tasks too [R28]") {
  auto reports = test::record_reports();
  Events events;
  auto task = create_task(work(events, "task", 9s));
  auto all = create_task(gather(task, fail("error"), work(events, "coroutine", 9s)));
  co_await sleep(1500ms);  // the coroutine cleans up
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(*reports, (Events{"Task exception was never retrieved: std::runtime_error: error"}));
}

ASYNC_TEST(Gather, "cancelled in the turn in which its join ends cancels the Tasks too [R28]") {
  auto reports = test::record_reports();
  auto gate = get_running_loop().create_future<>();
  const auto slow_to_end = [&]() -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
    }
    co_await gate;
  };
  auto task = create_task(sleep(9s));
  auto all = create_task(gather(task, fail("error"), slow_to_end()));
  co_await sleep(2s);
  gate.set_result();
  co_await sleep(0s);  // the coroutine ends; the gather is on its way back
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(*reports, (Events{"Task exception was never retrieved: std::runtime_error: error"}));
}

ASYNC_TEST(Gather, "cancelled twice interrupts the clean-up of its children [R21] [R28]") {
  Events events;
  auto all = create_task(gather(work(events, "child", 9s)));
  co_await sleep(1s);
  all.cancel();
  co_await sleep(500ms);
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_EQ(events, Events{});  // its clean-up was cut
}

ASYNC_TEST(Gather, "that has ended cannot be cancelled, which touches nothing [R29] [C7]") {
  auto task = create_task(give(1, 5s));
  auto both = create_task(gather(task, fail("error")));
  co_await both.join();
  EXPECT_FALSE(both.cancel());
  EXPECT_EQ(task.cancelling(), 0);
  co_await task;
}

ASYNC_TEST(Gather, "in a task that cancels itself ends at the gather [R17] [C7]") {
  Events events;
  auto self = create_task([&]() -> Coro<> {
    current_task()->cancel();
    current_task()->cancel();
    events.push_back("runs on");
    co_await gather(note(events, "child"));
  });
  co_await self.join();
  EXPECT_EQ(events, (Events{"runs on"}));
  EXPECT_TRUE(self.cancelled());
}

ASYNC_TEST(Gather, "passes the message of a cancellation on to its children [R24]") {
  Events events;
  const auto listen = [&]() -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError& error) {
      events.emplace_back(error.message());
      throw;
    }
  };
  auto all = create_task(gather(listen()));
  co_await sleep(1s);
  all.cancel("go home");
  co_await all.join();
  EXPECT_EQ(events, (Events{"go home"}));
}

ASYNC_TEST(Gather, "whose cancellation is taken back before it is delivered goes on [R19]") {
  auto future = get_running_loop().create_future<int>();
  auto all = create_task(gather(future));
  co_await sleep(1s);
  future.set_result(7);
  all.cancel();
  all.uncancel();
  const auto results = co_await all;
  EXPECT_EQ(std::get<0>(results), 7);
}

}  // namespace
}  // namespace asyncio
