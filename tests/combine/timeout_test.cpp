// timeout, timeout_at and move_on_after: when they end their body, and what leaves them then.
// SPDX-License-Identifier: MIT
#include <asyncio/timeout.hpp>

#include "combine/words.hpp"

#include <cerrno>
#include <limits>
#include <memory>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::end_of;
using test::Events;

const auto sleeps_long = []() -> Coro<> { co_await sleep(9s); };
double seconds() { return get_running_loop().time(); }
std::string word(bool value) { return value ? "True" : "False"; }

// ---- the edge of the scope

ASYNC_TEST(Timeout, "gives what its body gives in time") {
  const double begin = seconds();
  const int value = co_await timeout(5s, []() -> Coro<int> {
    co_await sleep(1s);
    co_return 42;
  });
  EXPECT_EQ(value, 42);
  EXPECT_EQ(seconds() - begin, 1.0);
}

ASYNC_TEST(Timeout, "ends its body when the time is up") {
  const double begin = seconds();
  const std::string end = co_await end_of(timeout(2s, sleeps_long));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(seconds() - begin, 2.0);
}

ASYNC_TEST(Timeout, "is a CancelledError inside and a TimeoutError only at the edge [R38]") {
  Events events;
  const std::string end = co_await end_of(timeout(1s, [&]() -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const TimeoutError&) {
      events.push_back("T inside");
    } catch (const CancelledError&) {
      events.push_back("C inside");
      throw;
    }
  }));
  events.push_back(end);
  EXPECT_EQ(events, (Events{"C inside", "T"}));
}

ASYNC_TEST(Timeout, "throws a std::system_error of ETIMEDOUT") {
  std::error_code code;
  try {
    co_await timeout(1s, sleeps_long);
  } catch (const std::system_error& error) {
    code = error.code();
  }
  EXPECT_EQ(code, std::error_code(ETIMEDOUT, std::generic_category()));
}

ASYNC_TEST(Timeout, "leaves no cancellation counted behind [R22] [C5]") {
  co_await end_of(timeout(1s, sleeps_long));
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Timeout, "stays a cancellation when an outside one comes in the same turn [R39]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await timeout(1s, [&](Timeout& limit) -> Coro<> {
      try {
        co_await sleep(9s);
      } catch (const CancelledError&) {
        events.push_back("expired " + word(limit.expired()));
        throw;
      }
    });
  });
  co_await sleep(0s);
  get_running_loop().call_later(1s, [=] { task.cancel(); });
  const auto end = co_await task.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"expired True", "C"}));
}

ASYNC_TEST(Timeout, "stays a cancellation when the outside one comes first in the turn [R39]") {
  Task<> task;
  get_running_loop().call_later(1s, [&] { task.cancel(); });
  task = create_task([]() -> Coro<> { co_await timeout(1s, sleeps_long); });
  const auto end = co_await task.join();
  EXPECT_EQ(test::words_of(end.exception()), "C");
}

ASYNC_TEST(Timeout, "that cuts the clean-up after an outside cancellation stays one [R39] [R21]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await timeout(2s, [&]() -> Coro<> {
      try {
        co_await sleep(9s);
      } catch (const CancelledError&) {
        events.push_back("outside");
      }
      co_await sleep(9s);
      events.push_back("cleaned up");
    });
  });
  co_await sleep(1s);
  task.cancel();
  const auto end = co_await task.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"outside", "C"}));
}

ASYNC_TEST(Timeout, "nested with one deadline throws from the outermost only [R40] [C4]") {
  Events events;
  try {
    co_await timeout(1s, [&](Timeout& outer) -> Coro<> {
      bool inner_expired = false;
      try {
        co_await timeout(1s, [&](Timeout& inner) -> Coro<> {
          try {
            co_await sleep(9s);
          } catch (const CancelledError&) {
            inner_expired = inner.expired();
            throw;
          }
        });
      } catch (const TimeoutError&) {
        events.push_back("inner T");
      } catch (const CancelledError&) {
        events.push_back("inner C");
        events.push_back("(" + word(inner_expired) + "," + word(outer.expired()) + ")");
        throw;
      }
    });
  } catch (const TimeoutError&) {
    events.push_back("outer T");
  }
  EXPECT_EQ(events, (Events{"inner C", "(True,True)", "outer T"}));
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Timeout, "nested three deep with one deadline throws from the outermost only [C4]") {
  Events events;
  const auto innermost = [&]() -> Coro<> {
    events.push_back("innermost " + co_await end_of(timeout(1s, sleeps_long)));
    throw CancelledError();
  };
  const auto middle = [&]() -> Coro<> {
    events.push_back("middle " + co_await end_of(timeout(1s, innermost)));
    throw CancelledError();
  };
  events.push_back("outermost " + co_await end_of(timeout(1s, middle)));
  EXPECT_EQ(events, (Events{"innermost C", "middle C", "outermost T"}));
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Timeout, "of the inner one leaves the outer one its time [R39]") {
  Events events;
  const auto body = [&]() -> Coro<> {
    events.push_back("inner " + co_await end_of(timeout(1s, sleeps_long)));
    co_await sleep(9s);
  };
  events.push_back("outer " + co_await end_of(timeout(2s, body)));
  EXPECT_EQ(events, (Events{"inner T", "outer T"}));
}

ASYNC_TEST(Timeout, "lets other errors pass as they are [R41]") {
  const std::string end = co_await end_of(timeout(1s, [&]() -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
      throw std::runtime_error("KeyError");
    }
  }));
  EXPECT_EQ(end, "KeyError");
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Timeout, "lets the value of a body win that swallows its cancellation [R41]") {
  bool expired = false;
  const int value = co_await timeout(1s, [&](Timeout& limit) -> Coro<int> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
      expired = limit.expired();
    }
    co_return 7;
  });
  EXPECT_EQ(value, 7);
  EXPECT_TRUE(expired);
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Timeout, "is over with its body: what comes after is not cut [R43]") {
  co_await timeout(2s, []() -> Coro<> { co_await sleep(1s); });
  EXPECT_EQ(get_running_loop().metrics().timers, 0u);
  const std::string end = co_await end_of(sleep(9s));
  EXPECT_EQ(end, "done");
}

// ---- the deadline

ASYNC_TEST(Timeout, "in the past lets a body finish that never suspends [R42]") {
  const int value = co_await timeout(-1s, []() -> Coro<int> { co_return 5; });
  EXPECT_EQ(value, 5);
}

ASYNC_TEST(Timeout, "in the past ends its body at the first suspension [R42] [C16]") {
  Events events;
  const std::string end = co_await end_of(timeout(0s, [&]() -> Coro<> {
    events.push_back("begins");
    co_await sleep(0s);
    events.push_back("goes on");
  }));
  events.push_back(end);
  EXPECT_EQ(events, (Events{"begins", "T"}));
}

ASYNC_TEST(Timeout, "that passes after the last suspension does nothing [R42]") {
  const int value = co_await timeout(5s, [](Timeout& limit) -> Coro<int> {
    co_await sleep(1s);
    limit.reschedule(get_running_loop().now() - 1s);
    co_return 5;
  });
  EXPECT_EQ(value, 5);
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Timeout, "says when it ends, and that it has no limit") {
  const auto now = get_running_loop().now();
  std::optional<Timeout::time_point> limited;
  std::optional<Timeout::time_point> unlimited = now;
  co_await timeout(3s, [&](Timeout& limit) -> Coro<> {
    limited = limit.when();
    co_return;
  });
  co_await timeout(std::nullopt, [&](Timeout& limit) -> Coro<> {
    unlimited = limit.when();
    co_return;
  });
  EXPECT_EQ(limited, now + 3s);
  EXPECT_EQ(unlimited, std::nullopt);
}

ASYNC_TEST(Timeout, "without a limit waits as long as it takes") {
  const std::string end = co_await end_of(timeout(std::nullopt, sleeps_long));
  EXPECT_EQ(end, "done");
}

ASYNC_TEST(Timeout, "of the greatest durations never comes [C16]") {
  using Years = std::chrono::duration<double, std::ratio<31556952>>;
  const std::string hours = co_await end_of(timeout(std::chrono::hours::max(), sleeps_long));
  const std::string years = co_await end_of(timeout(Years(1e300), sleeps_long));
  EXPECT_EQ(hours, "done");
  EXPECT_EQ(years, "done");
}

ASYNC_TEST(Timeout, "of the least durations is over at once [C16]") {
  using Seconds = std::chrono::duration<double>;
  const std::string hours = co_await end_of(timeout(std::chrono::hours::min(), sleeps_long));
  const std::string doubles = co_await end_of(timeout(Seconds(-1e300), sleeps_long));
  EXPECT_EQ(hours, "T");
  EXPECT_EQ(doubles, "T");
}

ASYNC_TEST(Timeout, "of what is not a number is an error [C16] [R3]") {
  const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
  bool refused = false;
  try {
    co_await timeout(nan, sleeps_long);
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

ASYNC_TEST(Timeout, "takes fractions of seconds") {
  const double begin = seconds();
  co_await end_of(timeout(1.5s, sleeps_long));
  EXPECT_EQ(seconds() - begin, 1.5);
}

ASYNC_TEST(Timeout, "may be put to a point in seconds that are not whole") {
  const double begin = seconds();
  const std::string end = co_await end_of(timeout(1s, [](Timeout& limit) -> Coro<> {
    limit.reschedule(get_running_loop().now() + 2.5s);
    co_await sleep(1h);
  }));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(seconds() - begin, 2.5);
  const std::string at =
      co_await end_of(timeout_at(get_running_loop().now() + 0.25s, sleeps_long));
  EXPECT_EQ(at, "T");
  EXPECT_EQ(seconds() - begin, 2.75);
}

ASYNC_TEST(Timeout, "at a point of the loop's clock ends there, at none never") {
  const double begin = seconds();
  const std::string at =
      co_await end_of(timeout_at(get_running_loop().now() + 2s, sleeps_long));
  const double end = seconds();
  const std::string never = co_await end_of(timeout_at(std::nullopt, sleeps_long));
  const auto last = Timeout::time_point::max();
  const std::string at_last = co_await end_of(timeout_at(last, sleeps_long));
  EXPECT_EQ(at, "T");
  EXPECT_EQ(end - begin, 2.0);
  EXPECT_EQ(never, "done");
  EXPECT_EQ(at_last, "done");
}

// ---- reschedule

ASYNC_TEST(Timeout, "can be put off [R43]") {
  const double begin = seconds();
  const std::string end = co_await end_of(timeout(1s, [](Timeout& limit) -> Coro<> {
    limit.reschedule(*limit.when() + 2s);
    co_await sleep(9s);
  }));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(seconds() - begin, 3.0);
}

ASYNC_TEST(Timeout, "can be brought forward [R43]") {
  const double begin = seconds();
  const std::string end = co_await end_of(timeout(5s, [](Timeout& limit) -> Coro<> {
    limit.reschedule(*limit.when() - 4s);
    co_await sleep(9s);
  }));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(seconds() - begin, 1.0);
}

ASYNC_TEST(Timeout, "can be given up and taken up again [R43]") {
  const double begin = seconds();
  const std::string end = co_await end_of(timeout(1s, [](Timeout& limit) -> Coro<> {
    limit.reschedule(std::nullopt);
    co_await sleep(3s);
    limit.reschedule(get_running_loop().now() + 1s);
    co_await sleep(9s);
  }));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(seconds() - begin, 4.0);
}

// Moved later, a limit stays where it is in the heap until the deadline there has come.
ASYNC_TEST(Timeout, "rescheduled again and again passes when the last limit does [R42]") {
  EventLoop& loop = get_running_loop();
  const auto begin = loop.now();
  const std::string end = co_await end_of(timeout(1s, [&](Timeout& limit) -> Coro<> {
    limit.reschedule(begin + 5s);
    co_await sleep(3s);  // past the first limit
    limit.reschedule(begin + 6s);
    limit.reschedule(begin + 6s);
    co_await sleep(2500ms);  // past the second
    limit.reschedule(begin + 9s);
    limit.reschedule(begin + 8s);  // earlier, but later than what the heap knows
    co_await sleep(1h);
  }));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(loop.now() - begin, 8s);
  EXPECT_EQ(loop.metrics().timers, 0u);
}

ASYNC_TEST(Timeout, "rescheduled keeps its turn among equal deadlines [R4] [R42]") {
  EventLoop& loop = get_running_loop();
  const auto end = loop.now() + 3s;
  Events events;
  co_await end_of(timeout(1s, [&](Timeout& limit) -> Coro<> {
    loop.call_at(end, [&] { events.push_back(limit.expired() ? "too late" : "before"); });
    limit.reschedule(end);
    loop.call_at(end, [&] { events.push_back(limit.expired() ? "after" : "too early"); });
    co_await sleep(1h);
  }));
  EXPECT_EQ(events, (Events{"before", "after"}));
}

ASYNC_TEST(Timeout, "rescheduled leaves no timer when its body ends first [R42]") {
  co_await timeout(1s, [&](Timeout& limit) -> Coro<> {
    limit.reschedule(get_running_loop().now() + 1h);
    co_await sleep(500ms);
  });
  EXPECT_EQ(get_running_loop().metrics().timers, 0u);
}

ASYNC_TEST(Timeout, "rescheduled into the past ends its body at the next suspension [R42]") {
  const double begin = seconds();
  const std::string end = co_await end_of(timeout(5s, [](Timeout& limit) -> Coro<> {
    limit.reschedule(get_running_loop().now() - 1s);
    co_await sleep(9s);
  }));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(seconds() - begin, 0.0);
}

ASYNC_TEST(Timeout, "rescheduled to a moment that has passed meanwhile cuts the next wait [R42]") {
  const auto soon = get_running_loop().now() + 3s;
  int passed = 0;
  const std::string end = co_await end_of(timeout(10s, [&](Timeout& limit) -> Coro<> {
    co_await sleep(5s);
    limit.reschedule(soon);
    co_await sleep(0s);
    ++passed;
  }));
  EXPECT_EQ(end, "T");
  EXPECT_EQ(passed, 0);
}

ASYNC_TEST(Timeout, "cannot be rescheduled once the time is up [R43]") {
  bool refused = false;
  const std::string end = co_await end_of(timeout(1s, [&](Timeout& limit) -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
      try {
        limit.reschedule(get_running_loop().now() + 5s);
      } catch (const RuntimeError&) {
        refused = true;
      }
      throw;
    }
  }));
  EXPECT_TRUE(refused);
  EXPECT_EQ(end, "T");
}

// ---- in a task that is being cancelled

ASYNC_TEST(Timeout, "works in a task that has a cancellation counted [R44]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await end_of(sleep(9s));  // swallows the cancellation
    events.push_back(co_await end_of(timeout(1s, sleeps_long)));
    events.push_back(std::to_string(current_task()->cancelling()));
  });
  co_await sleep(1s);
  task.cancel();
  co_await task;
  EXPECT_EQ(events, (Events{"T", "1"}));
}

// ---- bodies

ASYNC_TEST(Timeout, "calls its body with the arguments it keeps, after the Timeout or without") {
  std::string name = "kept";
  const auto with_limit = [](Timeout& limit, std::string& text, int n) -> Coro<std::string> {
    co_await sleep(1s);
    co_return text + std::to_string(n) + word(limit.expired());
  };
  const auto without = [](const std::string& text) -> Coro<std::string> {
    co_await sleep(1s);
    co_return text;
  };
  auto first = timeout(5s, with_limit, name, 7);
  auto second = timeout(5s, without, std::string("a text too long for the small string buffer"));
  name = "changed";
  const std::string a = co_await std::move(first);
  const std::string b = co_await std::move(second);
  EXPECT_EQ(a, "kept7False");
  EXPECT_EQ(b, "a text too long for the small string buffer");
}

ASYNC_TEST(Timeout, "borrows a body that has a name") {
  int calls = 0;
  auto body = [calls]() mutable -> Coro<int> { co_return ++calls; };
  const int first = co_await timeout(1s, body);
  const int second = co_await timeout(1s, body);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

ASYNC_TEST(Timeout, "keeps a temporary body alive while it runs") {
  const int value = co_await timeout(5s, [number = 6]() -> Coro<int> {
    co_await sleep(1s);
    co_return number * 7;
  });
  EXPECT_EQ(value, 42);
}

Coro<int> plain_function() { co_return 3; }

ASYNC_TEST(Timeout, "takes a function for a body") {
  const int value = co_await timeout(1s, plain_function);
  EXPECT_EQ(value, 3);
}

ASYNC_TEST(Timeout, "lets an error pass of a body that is no coroutine yet when it fails") {
  const std::string end = co_await end_of(timeout(
      1s, []() -> Coro<> { throw std::runtime_error("before the first await"); }));
  EXPECT_EQ(end, "before the first await");
  EXPECT_EQ(get_running_loop().metrics().timers, 0u);
}

ASYNC_TEST(Timeout, "gives references and results that cannot be copied") {
  int target = 1;
  int& reference = co_await timeout(1s, [&]() -> Coro<int&> { co_return target; });
  auto owned = co_await timeout(
      1s, []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(2); });
  EXPECT_EQ(&reference, &target);
  EXPECT_EQ(*owned, 2);
}

ASYNC_TEST(Timeout, "that is never awaited runs nothing and arms no timer") {
  Events events;
  {
    auto unused = timeout(1s, [&]() -> Coro<> {
      events.push_back("body");
      co_return;
    });
    co_await sleep(2s);
  }
  EXPECT_EQ(events, Events{});
  EXPECT_NE(test::take_stderr().find("timeout_scope' was never awaited"), std::string::npos);
}

// ---- move_on_after

ASYNC_TEST(MoveOnAfter, "gives the value of a body that ends in time, else nothing") {
  const auto body = [](std::chrono::nanoseconds time) -> Coro<int> {
    co_await sleep(time);
    co_return 7;
  };
  const std::optional<int> in_time = co_await move_on_after(2s, body, 1s);
  const std::optional<int> too_late = co_await move_on_after(2s, body, 3s);
  EXPECT_EQ(in_time, 7);
  EXPECT_EQ(too_late, std::nullopt);
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(MoveOnAfter, "says of a body without result whether it ended in time") {
  const bool in_time = co_await move_on_after(10s, sleeps_long);
  const bool too_late = co_await move_on_after(1s, sleeps_long);
  EXPECT_TRUE(in_time);
  EXPECT_FALSE(too_late);
}

ASYNC_TEST(MoveOnAfter, "gives the value of a body that swallows its cancellation [R41]") {
  const std::optional<int> value = co_await move_on_after(1s, []() -> Coro<int> {
    co_await end_of(sleep(9s));
    co_return 7;
  });
  EXPECT_EQ(value, 7);
}

ASYNC_TEST(MoveOnAfter, "lets errors and outside cancellations pass [R39] [R41]") {
  auto task = create_task([]() -> Coro<> { co_await move_on_after(5s, sleeps_long); });
  co_await sleep(1s);
  task.cancel();
  const auto cancelled = co_await task.join();
  const std::string error = co_await end_of(move_on_after(1s, []() -> Coro<> {
    throw std::runtime_error("error");
    co_return;
  }));
  EXPECT_TRUE(cancelled.cancelled());
  EXPECT_EQ(error, "error");
}

ASYNC_TEST(MoveOnAfter, "holds a reference as a std::reference_wrapper") {
  int target = 1;
  const auto got = co_await move_on_after(1s, [&]() -> Coro<int&> { co_return target; });
  EXPECT_EQ(&got->get(), &target);
}

Coro<int> leave_through_scope() {
  const auto body = []() -> Coro<int> { co_return 5; };
  if (auto r = co_await move_on_after(5s, body)) co_return *r;
  co_return 0;
}

ASYNC_TEST(MoveOnAfter, "lets a body leave the caller") {
  const int value = co_await leave_through_scope();
  EXPECT_EQ(value, 5);
}

}  // namespace
}  // namespace asyncio
