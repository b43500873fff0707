// race: the first to finish decides, the coroutines that lose are gone before it returns.
// SPDX-License-Identifier: MIT
#include <asyncio/race.hpp>

#include "combine/words.hpp"

#include <asyncio/timeout.hpp>

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
Coro<int> fail(std::string what, nanoseconds after = 1s) {
  co_await sleep(after);
  throw std::runtime_error(what);
}
// Cancelled, it takes a second to end.
Coro<int> slow_to_end(Events& events, std::string name) {
  bool cancelled = false;
  try {
    co_await sleep(9s);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  co_await sleep(1s);
  events.push_back(name + (cancelled ? " C" : ""));
  if (cancelled) throw CancelledError();
  co_return 0;
}

ASYNC_TEST(Race, "gives the value of the first to finish, and says which it was") {
  const auto winner = co_await race(give(1, 2s), sleep(1s, std::string("fast")));
  EXPECT_EQ(winner.index(), 1u);
  EXPECT_EQ(std::get<1>(winner), "fast");
}

ASYNC_TEST(Race, "cancels and joins the coroutines that lose [R9] [C6]") {
  Events events;
  const auto winner = co_await race(slow_to_end(events, "a"), give(7), slow_to_end(events, "b"));
  events.push_back(std::to_string(std::get<1>(winner)));
  EXPECT_EQ(events, (Events{"a C", "b C", "7"}));
  EXPECT_EQ(all_tasks().size(), 1u);
}

ASYNC_TEST(Race, "is decided by an error too") {
  const std::string end = co_await end_of(race(give(1, 2s), fail("error", 1s)));
  EXPECT_EQ(end, "error");
}

ASYNC_TEST(Race, "is decided by a cancellation too, which is not the caller's [R27]") {
  auto victim = create_task(give(1, 9s));
  get_running_loop().call_later(1s, [=] { victim.cancel(); });
  const std::string end = co_await end_of(race(victim, give(2, 9s)));
  EXPECT_EQ(end, "C");
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Race, "goes to the first argument of those that finish in one turn [C9]") {
  auto first = get_running_loop().create_future<int>();
  auto second = get_running_loop().create_future<int>();
  get_running_loop().call_later(1s, [=] {
    second.set_result(2);
    first.set_result(1);
  });
  const auto winner = co_await race(first, second);
  EXPECT_EQ(winner.index(), 0u);
}

ASYNC_TEST(Race, "gives one value of two that finish in one turn and destroys the other [C9]") {
  const auto resource = std::make_shared<int>(1);
  const auto connect = [&]() -> Coro<std::shared_ptr<int>> {
    co_await sleep(1s);
    co_return resource;
  };
  const auto winner = co_await race(connect(), connect());
  EXPECT_EQ(winner.index(), 0u);
  EXPECT_EQ(resource.use_count(), 2);
}

ASYNC_TEST(Race, "shows no cancellation of a loser, and reports what one fails with [C10]") {
  auto reports = test::record_reports();
  const auto ready = []() -> Coro<int> { co_return 1; };
  const auto breaks = []() -> Coro<int> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
    }
    throw std::runtime_error("loser");
  };
  const auto winner = co_await race(ready(), give(2, 9s), breaks());
  EXPECT_EQ(std::get<0>(winner), 1);
  EXPECT_EQ(*reports, (Events{"Task exception was never retrieved: std::runtime_error: loser"}));
}

ASYNC_TEST(Race, "leaves the error of a Task that loses to its owner") {
  auto reports = test::record_reports();
  const auto fail_later = []() -> Coro<int> {
    co_await sleep(5s);
    throw std::runtime_error("later");
  };
  {
    auto asked = create_task(fail_later());
    auto forgotten = create_task(fail_later());
    co_await race(asked, forgotten, give(1));
    const std::string end = co_await end_of(asked);
    EXPECT_EQ(end, "later");
  }
  EXPECT_EQ(*reports, (Events{"Task exception was never retrieved: std::runtime_error: later"}));
}

ASYNC_TEST(Race, "leaves Tasks and futures that lose running") {
  auto task = create_task(give(2, 5s));
  auto future = get_running_loop().create_future<int>();
  const auto winner = co_await race(task, give(1), future);
  EXPECT_EQ(winner.index(), 1u);
  EXPECT_EQ(task.cancelling(), 0);
  EXPECT_FALSE(future.done());
  co_await task;
}

ASYNC_TEST(Race, "waits for a loser that refuses to be cancelled") {
  const auto begin = get_running_loop().now();
  const auto refuses = []() -> Coro<int> {
    co_await end_of(sleep(9s));
    co_await sleep(3s);
    co_return 2;
  };
  const auto winner = co_await race(refuses(), give(1));
  EXPECT_EQ(winner.index(), 1u);
  EXPECT_EQ(get_running_loop().now() - begin, 4s);
}

ASYNC_TEST(Race, "of a range gives the index and the value") {
  std::vector<Coro<int>> coros;
  coros.push_back(give(1, 2s));
  coros.push_back(give(2, 1s));
  const std::pair<std::size_t, int> winner = co_await race(std::move(coros));
  EXPECT_EQ(winner, (std::pair<std::size_t, int>(1, 2)));
}

ASYNC_TEST(Race, "of an empty range is an error") {
  bool refused = false;
  try {
    co_await race(std::vector<Task<int>>());
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

ASYNC_TEST(Race, "holds nothing, references and results that cannot be copied") {
  int target = 1;
  const auto refer = [&]() -> Coro<int&> { co_return target; };
  const auto own = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(2); };
  const auto nothing = co_await race(sleep(1s), give(1, 9s));
  const auto reference = co_await race(refer(), give(1, 9s));
  const auto owned = co_await race(own(), give(1, 9s));
  EXPECT_EQ(std::get<0>(nothing), std::monostate());
  EXPECT_EQ(&std::get<0>(reference).get(), &target);
  EXPECT_EQ(*std::get<0>(owned), 2);
}

ASYNC_TEST(Race, "cancelled cancels everything given, and waits for it [R28]") {
  Events events;
  auto task = create_task(slow_to_end(events, "task"));
  auto all = create_task(race(slow_to_end(events, "coroutine"), task));
  co_await sleep(1s);
  all.cancel();
  const auto end = co_await all.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"coroutine C", "task C", "C"}));
}

ASYNC_TEST(Race, "cancelled while it joins the losers is cancelled [R18]") {
  Events events;
  auto all = create_task(race(give(1), slow_to_end(events, "loser")));
  co_await sleep(1500ms);  // the loser cleans up
  all.cancel();
  const auto end = co_await all.join();
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(Race, "cut by a timeout is a TimeoutError") {
  const std::string end = co_await end_of(wait_for(race(give(1, 9s), give(2, 9s)), 1s));
  EXPECT_EQ(end, "T");
}

ASYNC_TEST(Race, "that is never awaited starts nothing") {
  const auto tasks_before = get_running_loop().metrics().tasks_made;
  {
    auto unused = race(give(1), give(2));
    co_await sleep(2s);
  }
  EXPECT_EQ(get_running_loop().metrics().tasks_made, tasks_before);
  EXPECT_NE(test::take_stderr().find("give' was never awaited"), std::string::npos);
}

}  // namespace
}  // namespace asyncio
