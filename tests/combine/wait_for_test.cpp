// wait_for: the limit cancels, the end is waited for, and no cancellation from outside is lost.
// SPDX-License-Identifier: MIT
#include <asyncio/timeout.hpp>

#include "combine/words.hpp"

#include <asyncio/context.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/shield.hpp>

#include <memory>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using test::end_of;
using test::Events;

Coro<int> give(int value, nanoseconds after = 1s) {
  co_await sleep(after);
  co_return value;
}
Coro<int> started(Events& events) {
  events.push_back("started");
  co_return 1;
}
// Takes two seconds to end when it is cancelled.
Coro<> cleans_up(Events& events) {
  bool cancelled = false;
  try {
    co_await sleep(9s);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  co_await sleep(2s);
  events.push_back("cleaned");
  if (cancelled) throw CancelledError();
}
double seconds() { return get_running_loop().time(); }

ASYNC_TEST(WaitFor, "gives the result of what ends in time") {
  const int value = co_await wait_for(give(42, 1s), 5s);
  EXPECT_EQ(value, 42);
  EXPECT_EQ(get_running_loop().metrics().timers, 0u);
}

ASYNC_TEST(WaitFor, "waits until what it has cancelled has ended, then throws [R33]") {
  Events events;
  const double begin = seconds();
  events.push_back(co_await end_of(wait_for(cleans_up(events), 1s)));
  EXPECT_EQ(events, (Events{"cleaned", "T"}));
  EXPECT_EQ(seconds() - begin, 3.0);
}

ASYNC_TEST(WaitFor, "cancels a Task that is given, and waits for its end [R33] [R14]") {
  Events events;
  auto task = create_task(cleans_up(events));
  events.push_back(co_await end_of(wait_for(task, 1s)));
  EXPECT_EQ(events, (Events{"cleaned", "T"}));
  EXPECT_TRUE(task.cancelled());
}

ASYNC_TEST(WaitFor, "of a join leaves the task alone [R33]") {
  auto task = create_task(give(1, 5s));
  const std::string end = co_await end_of(wait_for(task.join(), 1s));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(task.cancelling(), 0);
  co_await task;
}

ASYNC_TEST(WaitFor, "of a shield leaves the task alone [R32]") {
  auto task = create_task(give(1, 5s));
  const std::string end = co_await end_of(wait_for(shield(task), 1s));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(task.cancelling(), 0);
  co_await task;
}

ASYNC_TEST(WaitFor, "cancels a future whose time is up [R33]") {
  auto future = get_running_loop().create_future<int>();
  const std::string end = co_await end_of(wait_for(future, 1s));
  EXPECT_EQ(end, "T");
  EXPECT_TRUE(future.cancelled());
}

ASYNC_TEST(WaitFor, "gives the value of what refuses to be cancelled [R34]") {
  const auto refuses = []() -> Coro<int> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
    }
    co_return 42;
  };
  auto task = create_task(refuses());
  const std::string of_coroutine = co_await end_of(wait_for(refuses(), 1s));
  const std::string of_task = co_await end_of(wait_for(task, 1s));
  EXPECT_EQ(of_coroutine, "42");
  EXPECT_EQ(of_task, "42");
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(WaitFor, "throws what comes out of the cancelled instead of TimeoutError [R34]") {
  const auto fails = []() -> Coro<int> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
      throw std::out_of_range("KeyError");
    }
    co_return 0;
  };
  const std::string of_coroutine = co_await end_of(wait_for(fails(), 1s));
  const std::string of_task = co_await end_of(wait_for(create_task(fails()), 1s));
  EXPECT_EQ(of_coroutine, "KeyError");
  EXPECT_EQ(of_task, "KeyError");
}

// ---- no time at all

ASYNC_TEST(WaitFor, "without time does not start a coroutine [R35] [C16]") {
  Events events;
  events.push_back(co_await end_of(wait_for(started(events), 0s)));
  events.push_back(co_await end_of(wait_for(started(events), -1s)));
  EXPECT_EQ(events, (Events{"T", "T"}));
}

ASYNC_TEST(WaitFor, "without time gives the result of a done future or task [R35]") {
  auto future = get_running_loop().create_future<int>();
  future.set_result(1);
  auto task = create_task(give(2));
  co_await task;
  const int of_future = co_await wait_for(future, 0s);
  const int of_task = co_await wait_for(task, 0s);
  EXPECT_EQ(of_future, 1);
  EXPECT_EQ(of_task, 2);
}

ASYNC_TEST(WaitFor, "without time throws the error or cancellation of a done future [R35]") {
  auto failed = get_running_loop().create_future<int>();
  auto cancelled = get_running_loop().create_future<int>();
  failed.set_exception(std::runtime_error("error"));
  cancelled.cancel();
  const std::string error = co_await end_of(wait_for(failed, 0s));
  const std::string cancellation = co_await end_of(wait_for(cancelled, 0s));
  EXPECT_EQ(error, "error");
  EXPECT_EQ(cancellation, "C");
}

ASYNC_TEST(WaitFor, "without time cancels a pending task and waits for its end [R35]") {
  Events events;
  auto task = create_task(cleans_up(events));
  co_await sleep(1s);
  events.push_back(co_await end_of(wait_for(task, 0s)));
  EXPECT_EQ(events, (Events{"cleaned", "T"}));
  EXPECT_TRUE(task.cancelled());
}

ASYNC_TEST(WaitFor, "without time is a TimeoutError in a cancelled task too [R35] [R44]") {
  Events events;
  auto future = get_running_loop().create_future<int>();
  auto task = create_task([&]() -> Coro<> {
    co_await end_of(sleep(9s));  // swallows the cancellation
    events.push_back(co_await end_of(wait_for(future, 0s)));
    events.push_back(std::to_string(current_task()->cancelling()));
  });
  co_await sleep(1s);
  task.cancel();
  co_await task;
  EXPECT_EQ(events, (Events{"T", "1"}));
}

ASYNC_TEST(WaitFor, "without time stays cancelled when it is cancelled while it waits [R35]") {
  Events events;
  auto slow = create_task(cleans_up(events));
  auto task = create_task([&]() -> Coro<> { co_await wait_for(slow, 0s); });
  co_await sleep(1s);
  task.cancel();  // interrupts the clean-up of `slow`
  const auto end = co_await task.join();
  EXPECT_TRUE(end.cancelled());
}

// Like a lock: one that is free is taken without waiting.
struct Door {
  explicit Door(Future<> of) : opened(std::move(of)) {}
  auto operator co_await() && { return opened; }
  Future<> opened;
};

ASYNC_TEST(WaitFor, "without time takes what need not wait, and only that [R35]") {
  auto open = get_running_loop().create_future<>();
  auto closed = get_running_loop().create_future<>();
  open.set_result();
  const std::string at_once = co_await end_of(wait_for(Door(open), 0s));
  const std::string waits = co_await end_of(wait_for(Door(closed), 0s));
  const std::string sleeps = co_await end_of(wait_for(sleep(0s), 0s));
  EXPECT_EQ(at_once, "done");
  EXPECT_EQ(waits, "T");
  EXPECT_EQ(sleeps, "T");
}

// ---- limits

ASYNC_TEST(WaitFor, "of the greatest durations, or none, never ends the wait [C16]") {
  using Seconds = std::chrono::duration<double>;
  const std::string none = co_await end_of(wait_for(give(1), std::nullopt));
  const std::string hours = co_await end_of(wait_for(give(2), std::chrono::hours::max()));
  const std::string doubles = co_await end_of(wait_for(give(3), Seconds(1e300)));
  EXPECT_EQ(none, "1");
  EXPECT_EQ(hours, "2");
  EXPECT_EQ(doubles, "3");
}

ASYNC_TEST(WaitFor, "drops a value that comes in the turn in which time ends [C17] [R18]") {
  auto future = get_running_loop().create_future<int>();
  get_running_loop().call_later(1s, [=] { future.set_result(1); });
  const std::string end = co_await end_of(wait_for(future, 1s));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(future.result(), 1);  // the value of a bare future stays in it
  EXPECT_EQ(current_task()->cancelling(), 0);
}

// ---- cancelled from outside

ASYNC_TEST(WaitFor, "cancelled before the inner result is cancelled [R36] [C3]") {
  auto future = get_running_loop().create_future<int>();
  auto task = create_task(wait_for(future, 5s));
  co_await sleep(1s);
  task.cancel();
  const auto end = co_await task.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_TRUE(future.cancelled());
}

ASYNC_TEST(WaitFor, "cancelled in the turn of the inner result is cancelled [R36] [C3]") {
  auto future = get_running_loop().create_future<int>();
  auto task = create_task(wait_for(future, 5s));
  co_await sleep(1s);
  future.set_result(1);
  task.cancel();
  const auto end = co_await task.join();
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(WaitFor, "cancelled in the turn in which the inner task ends is cancelled [R36] [C3]") {
  auto inner = create_task(give(1, 1s));
  auto task = create_task(wait_for(inner, 5s));
  inner.add_done_callback([=](const Task<int>&) { task.cancel(); });
  const auto end = co_await task.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_EQ(inner.result(), 1);
}

ASYNC_TEST(WaitFor, "cancelled after its end is not, and gives the result [R36] [C3]") {
  auto task = create_task(wait_for(give(1), 5s));
  co_await task;
  EXPECT_FALSE(task.cancel());
  EXPECT_EQ(task.result(), 1);
}

ASYNC_TEST(WaitFor, "cancelled in the turn in which time ends is cancelled [R36] [R39]") {
  auto task = create_task(wait_for(give(1, 9s), 1s));
  co_await sleep(0s);
  get_running_loop().call_later(1s, [=] { task.cancel(); });
  const auto end = co_await task.join();
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(WaitFor, "cancelled passes the cancellation on, with its message [R24]") {
  Events events;
  const auto listen = [&]() -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError& error) {
      events.emplace_back(error.message());
      throw;
    }
  };
  auto task = create_task(wait_for(create_task(listen()), 5s));
  co_await sleep(1s);
  task.cancel("go home");
  co_await task.join();
  EXPECT_EQ(events, (Events{"go home"}));
}

// ---- whose task

ASYNC_TEST(WaitFor, "runs a coroutine in the caller's task [R37]") {
  const auto same = [](const AnyTask& caller) -> Coro<bool> {
    co_await sleep(1s);
    co_return current_task() == caller;
  };
  const bool is_same = co_await wait_for(same(*current_task()), 5s);
  EXPECT_TRUE(is_same);
}

ASYNC_TEST(WaitFor, "runs a coroutine in the caller's context [R37] [R85]") {
  ContextVar<std::string> var("var", "out");
  const auto set = [&]() -> Coro<> {
    co_await sleep(1s);
    var.set("in");
  };
  co_await wait_for(set(), 5s);
  EXPECT_EQ(var.get(), "in");
}

// ---- what it takes and gives

ASYNC_TEST(WaitFor, "takes operations, combinators and any task") {
  const AnyTask any = create_task(give(1));
  co_await wait_for(sleep(1s), 5s);
  co_await wait_for(any, 5s);
  const auto both = co_await wait_for(gather(give(1), give(2)), 5s);
  EXPECT_EQ(both, (std::tuple<int, int>(1, 2)));
}

ASYNC_TEST(WaitFor, "cuts a gather as a cancellation does [R28]") {
  auto task = create_task(give(1, 9s));
  const std::string end = co_await end_of(wait_for(gather(task, give(2, 9s)), 1s));
  EXPECT_EQ(end, "T");
  EXPECT_TRUE(task.cancelled());
}

ASYNC_TEST(WaitFor, "gives references and results that cannot be copied") {
  int target = 1;
  const auto refer = [&]() -> Coro<int&> { co_return target; };
  const auto own = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(2); };
  int& of_coroutine = co_await wait_for(refer(), 1s);
  int& of_task = co_await wait_for(create_task(refer()), 1s);
  auto owned = co_await wait_for(own(), 1s);
  auto owned_by_task = co_await wait_for(create_task(own()), 1s);
  EXPECT_EQ(&of_coroutine, &target);
  EXPECT_EQ(&of_task, &target);
  EXPECT_EQ(*owned, 2);
  EXPECT_EQ(*owned_by_task, 2);
}

ASYNC_TEST(WaitFor, "that is never awaited starts nothing") {
  Events events;
  {
    auto unused = wait_for(started(events), 1s);
    co_await sleep(2s);
  }
  EXPECT_EQ(events, Events{});
  EXPECT_NE(test::take_stderr().find("started' was never awaited"), std::string::npos);
}

}  // namespace
}  // namespace asyncio
