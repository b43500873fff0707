// One cancel() that reaches many: all of them, in Python's order, with this request's message.
// SPDX-License-Identifier: MIT
#include <asyncio/gather.hpp>

#include "support/async_test.hpp"

#include <asyncio/event_loop.hpp>
#include <asyncio/future.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/timeout.hpp>

#include <string>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

// Says `name` when it is cancelled, with the message if there is one.
Coro<> say(Events& events, std::string name) {
  try {
    co_await sleep(1h);
  } catch (const CancelledError& error) {
    events.push_back(name + std::string(error.message()));
    throw;
  }
}

ASYNC_TEST(OneRequest, "reaches every task that waits for a future which it cancels [R13, R28]") {
  Events events;
  const auto child = [&](std::string name, Future<int> future) -> Coro<> {
    bool cancelled = false;
    try {
      co_await gather_settled(future);
    } catch (const CancelledError&) {
      cancelled = true;
    }
    events.push_back(name + (cancelled ? " cancelled" : " runs on"));
  };
  auto future = get_running_loop().create_future<int>();
  auto both = create_task(gather(child("a", future), child("b", future)));
  co_await sleep(1s);
  both.cancel();
  const auto end = co_await both.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_EQ(events, (Events{"a cancelled", "b cancelled"}));
}

ASYNC_TEST(OneRequest, "asks what a task waits for before the task that is asked next [R14]") {
  Events events;
  auto inner = create_task(say(events, "inner"));
  auto outer = create_task([](Task<> task) -> Coro<> { co_await task; }(inner));
  auto all = create_task(gather(outer, say(events, "sibling")));
  co_await sleep(1s);
  all.cancel();
  co_await all.join();
  EXPECT_EQ(events, (Events{"inner", "sibling"}));
}

ASYNC_TEST(OneRequest, "does not repeat the message of one that was swallowed [R24]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    for (int i = 0; i < 2; ++i) {
      try {
        co_await say(events, "C");
      } catch (const CancelledError&) {
      }
    }
  });
  co_await sleep(1s);
  task.cancel(" with a message");
  co_await sleep(1s);
  task.cancel();
  co_await task;
  EXPECT_EQ(events, (Events{"C with a message", "C"}));
}

ASYNC_TEST(OneRequest, "before the delivery of another one leaves that one's message [R16, R24]") {
  Events events;
  auto task = create_task(say(events, "C"));
  co_await sleep(1s);
  task.cancel(" first");
  task.cancel(" second");
  co_await task.join();
  EXPECT_EQ(events, (Events{"C first"}));
}

}  // namespace
}  // namespace asyncio
