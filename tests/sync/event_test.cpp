// Event wakes everybody who waits, and nobody else.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <optional>
#include <string>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<> wait_for_it(Event& event, Events& events, std::string name) {
  co_await event.wait();
  events.push_back(name);
}

ASYNC_TEST(Event, "wakes all who wait, in the order they came [R58]") {
  Event event;
  Events events;
  auto first = create_task(wait_for_it(event, events, "first"));
  auto second = create_task(wait_for_it(event, events, "second"));
  co_await sleep(1s);
  EXPECT_EQ(events, Events{});
  event.set();
  EXPECT_EQ(events, Events{});  // not at once
  co_await gather(first, second);
  EXPECT_EQ(events, (Events{"first", "second"}));
}

ASYNC_TEST(Event, "wakes those who wait also if it is cleared at once [R58]") {
  Event event;
  Events events;
  auto woken = create_task(wait_for_it(event, events, "woken"));
  co_await sleep(0s);
  event.set();
  event.clear();
  auto late = create_task(wait_for_it(event, events, "late"));
  co_await sleep(1s);
  EXPECT_TRUE(woken.done());
  EXPECT_FALSE(late.done());
  EXPECT_FALSE(event.is_set());
  event.set();
  co_await late;
  EXPECT_EQ(events, (Events{"woken", "late"}));
}

ASYNC_TEST(Event, "that is set does not suspend") {
  Event event;
  event.set();
  Events events;
  auto other = create_task([](Events& all) -> Coro<> {
    all.push_back("other");
    co_return;
  }(events));
  co_await event.wait();
  events.push_back("me");
  co_await other;
  EXPECT_EQ(events, (Events{"me", "other"}));
}

ASYNC_TEST(Event, "forgets a waiter that is cancelled, in line or woken") {
  Event event;
  Events events;
  auto in_line = create_task(wait_for_it(event, events, "in line"));
  auto woken = create_task(wait_for_it(event, events, "woken"));
  auto other = create_task(wait_for_it(event, events, "other"));
  co_await sleep(0s);
  in_line.cancel();
  event.set();
  woken.cancel();
  co_await other;
  EXPECT_TRUE((co_await in_line.join()).cancelled());
  EXPECT_TRUE((co_await woken.join()).cancelled());
  EXPECT_EQ(events, (Events{"other"}));
}

ASYNC_TEST(Event, "that is destroyed once it was set has woken its waiters") {
  std::optional<Event> event(std::in_place);
  auto waiter = create_task([](Event& it) -> Coro<> { co_await it.wait(); }(*event));
  co_await sleep(1s);
  event->set();
  event.reset();
  co_await waiter;
}

ASYNC_TEST(Event, "that is destroyed wakes its waiters with RuntimeError") {
  std::optional<Event> event(std::in_place);
  Events events;
  auto waiter = create_task(wait_for_it(*event, events, "waiter"));
  co_await sleep(0s);
  event.reset();
  EXPECT_THROW(co_await waiter, RuntimeError);
}

SYNC_TEST(Event, "belongs to the loop of those who waited for it first [R63]") {
  Event event;
  const auto contend = [&event]() -> Coro<> {
    event.clear();
    Events events;
    auto waiter = create_task(wait_for_it(event, events, "waiter"));
    co_await sleep(0s);
    event.set();
    co_await waiter;
  };
  run(contend());
  EXPECT_THROW(run(contend()), RuntimeError);
}

}  // namespace
}  // namespace asyncio
