// wait and as_completed look on: they never cancel a task and never throw for one.
// SPDX-License-Identifier: MIT
#include <asyncio/wait.hpp>

#include "combine/words.hpp"

#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using test::end_of;
using test::Events;
using Tasks = std::vector<Task<int>>;

Coro<int> give(int value, nanoseconds after) {
  co_await sleep(after);
  co_return value;
}
Coro<int> fail(std::string what, nanoseconds after) {
  co_await sleep(after);
  throw std::runtime_error(what);
}
Task<int> start(int seconds) {
  return create_task(give(seconds, std::chrono::seconds(seconds)));
}

// ---- wait

ASYNC_TEST(Wait, "gives what is done, in the order given, when all have ended [R30]") {
  const Tasks tasks{start(2), start(1), start(3)};
  const auto begin = get_running_loop().now();
  const auto [done, pending] = co_await wait(tasks);
  EXPECT_EQ(done, tasks);
  EXPECT_EQ(pending, Tasks{});
  EXPECT_EQ(get_running_loop().now() - begin, 3s);
}

ASYNC_TEST(Wait, "neither throws nor cancels when the time is up [R30]") {
  const Tasks tasks{start(3), start(1)};
  const auto [done, pending] = co_await wait(tasks, {.timeout = 2s});
  EXPECT_EQ(done, (Tasks{tasks[1]}));
  EXPECT_EQ(pending, (Tasks{tasks[0]}));
  EXPECT_EQ(tasks[0].cancelling(), 0);
  co_await tasks[0];
}

ASYNC_TEST(Wait, "does not throw for a task that failed or was cancelled [R30]") {
  const Tasks tasks{create_task(fail("error", 1s)), start(9)};
  get_running_loop().call_later(2s, [=] { tasks[1].cancel(); });
  const auto [done, pending] = co_await wait(tasks);
  const std::string error = co_await end_of(done[0]);
  EXPECT_EQ(done.size(), 2u);
  EXPECT_EQ(error, "error");
  EXPECT_TRUE(done[1].cancelled());
}

ASYNC_TEST(Wait, "for the first gives everything that is done at its wake-up [R30]") {
  auto gate = get_running_loop().create_future<>();
  const auto behind_gate = [&]() -> Coro<int> {
    co_await gate;
    co_return 1;
  };
  const Tasks tasks{create_task(behind_gate()), start(9), create_task(behind_gate())};
  get_running_loop().call_later(1s, [=] { gate.set_result(); });
  const auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  EXPECT_EQ(done, (Tasks{tasks[0], tasks[2]}));
  EXPECT_EQ(pending, (Tasks{tasks[1]}));
  co_await tasks[1];
}

ASYNC_TEST(Wait, "for the first exception takes a cancelled task for none [R30]") {
  const Tasks tasks{start(9), create_task(fail("error", 2s)), start(5)};
  get_running_loop().call_later(1s, [=] { tasks[0].cancel(); });
  const auto begin = get_running_loop().now();
  const auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
  const std::string error = co_await end_of(tasks[1]);
  EXPECT_EQ(get_running_loop().now() - begin, 2s);
  EXPECT_EQ(done, (Tasks{tasks[0], tasks[1]}));
  EXPECT_EQ(pending, (Tasks{tasks[2]}));
  EXPECT_EQ(error, "error");
  co_await tasks[2];
}

ASYNC_TEST(Wait, "for the first exception waits for all when there is none [R30]") {
  const Tasks tasks{start(1), start(2)};
  const auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
  EXPECT_EQ(done, tasks);
  EXPECT_EQ(pending, Tasks{});
}

ASYNC_TEST(Wait, "of nothing is an error [R30]") {
  bool refused = false;
  try {
    co_await wait(Tasks{});
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

ASYNC_TEST(Wait, "for tasks that are done does not suspend [R11]") {
  const Tasks tasks{start(1)};
  co_await tasks[0];
  Events events;
  get_running_loop().call_soon([&] { events.push_back("a turn later"); });
  const auto [done, pending] = co_await wait(tasks);
  events.push_back("done");
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"done", "a turn later"}));
  EXPECT_EQ(done.size(), 1u);
}

ASYNC_TEST(Wait, "without time looks and returns [R30] [C16]") {
  const Tasks tasks{start(1)};
  const auto [done, pending] = co_await wait(tasks, {.timeout = 0s});
  EXPECT_EQ(pending, tasks);
  co_await tasks[0];
}

ASYNC_TEST(Wait, "cancelled leaves the tasks alone [R30]") {
  const Tasks tasks{start(5)};
  auto waiting = create_task(wait(tasks));
  co_await sleep(1s);
  waiting.cancel();
  const auto end = co_await waiting.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_EQ(tasks[0].cancelling(), 0);
  co_await tasks[0];
}

ASYNC_TEST(Wait, "takes tasks of different types as AnyTasks") {
  const std::vector<AnyTask> tasks{start(1), create_task(sleep(2s))};
  const auto [done, pending] = co_await wait(tasks);
  EXPECT_EQ(done, tasks);
}

// ---- as_completed

ASYNC_TEST(AsCompleted, "gives the very handles, in the order in which they end [R31]") {
  const Tasks tasks{start(3), start(1), start(2)};
  Tasks ended;
  auto finished = as_completed(tasks);
  while (auto task = co_await finished.next()) ended.push_back(*task);
  EXPECT_EQ(ended, (Tasks{tasks[1], tasks[2], tasks[0]}));
}

ASYNC_TEST(AsCompleted, "gives tasks that failed or were cancelled like any other [R31]") {
  const Tasks tasks{create_task(fail("error", 1s)), start(9)};
  get_running_loop().call_later(2s, [=] { tasks[1].cancel(); });
  Events ends;
  auto finished = as_completed(tasks);
  while (auto task = co_await finished.next()) ends.push_back(co_await end_of(*task));
  EXPECT_EQ(ends, (Events{"error", "C"}));
}

ASYNC_TEST(AsCompleted, "gives those that are done already first, in the order given [R31]") {
  const Tasks tasks{start(3), start(2), start(1)};
  co_await tasks[1];
  Tasks ended;
  auto finished = as_completed(tasks);
  while (auto task = co_await finished.next()) ended.push_back(*task);
  EXPECT_EQ(ended, (Tasks{tasks[1], tasks[2], tasks[0]}));
}

ASYNC_TEST(AsCompleted, "throws from the iteration when time is up, and cancels nothing [R31]") {
  const Tasks tasks{start(1), start(9)};
  auto finished = as_completed(tasks, 2s);
  Events events;
  events.push_back(co_await end_of(*co_await finished.next()));
  events.push_back(co_await end_of(finished.next()));
  EXPECT_EQ(events, (Events{"1", "T"}));
  EXPECT_EQ(tasks[1].cancelling(), 0);
  co_await tasks[1];
}

ASYNC_TEST(AsCompleted, "starts its clock when it is called [R31]") {
  const Tasks tasks{start(9)};
  const auto begin = get_running_loop().now();
  auto finished = as_completed(tasks, 3s);
  co_await sleep(2s);
  const std::string end = co_await end_of(finished.next());
  EXPECT_EQ(end, "T");
  EXPECT_EQ(get_running_loop().now() - begin, 3s);
  co_await tasks[0];
}

ASYNC_TEST(AsCompleted, "of nothing is over at once") {
  auto finished = as_completed(Tasks{});
  const auto first = co_await finished.next();
  EXPECT_FALSE(first.has_value());
}

ASYNC_TEST(AsCompleted, "cancelled in next leaves the tasks alone, and can be asked again [R31]") {
  const Tasks tasks{start(3)};
  auto finished = as_completed(tasks);
  auto asking = create_task(finished.next());
  co_await sleep(1s);
  asking.cancel();
  co_await asking.join();
  const auto task = co_await finished.next();
  EXPECT_EQ(task, tasks[0]);
  EXPECT_TRUE(asking.cancelled());
}

ASYNC_TEST(AsCompleted, "answers several that ask at the same time") {
  const Tasks tasks{start(1), start(2)};
  auto finished = as_completed(tasks);
  auto first = create_task(finished.next());
  auto second = create_task(finished.next());
  const auto a = co_await first;
  const auto b = co_await second;
  EXPECT_EQ(a, tasks[0]);
  EXPECT_EQ(b, tasks[1]);
}

ASYNC_TEST(AsCompleted, "goes on when one of several that ask is cancelled") {
  const Tasks tasks{start(2)};
  auto finished = as_completed(tasks, 9s);
  auto first = create_task(finished.next());
  auto second = create_task(finished.next());
  co_await sleep(1s);
  first.cancel();
  const auto b = co_await second;
  EXPECT_EQ(b, tasks[0]);
  EXPECT_TRUE(first.cancelled());
}

Coro<std::size_t> leave_after(std::size_t count) {
  const Tasks tasks{start(1), start(2), start(3)};
  std::size_t taken = 0;
  {
    auto finished = as_completed(tasks);
    for (; taken < count; ++taken) co_await finished.next();
  }
  for (const auto& task : tasks) co_await task;
  co_return taken;
}

ASYNC_TEST(AsCompleted, "can be left before the first [C19]") {
  const auto taken = co_await leave_after(0);
  EXPECT_EQ(taken, 0u);
}
ASYNC_TEST(AsCompleted, "can be left after the first [C19]") {
  const auto taken = co_await leave_after(1);
  EXPECT_EQ(taken, 1u);
}
ASYNC_TEST(AsCompleted, "can be left after the second [C19]") {
  const auto taken = co_await leave_after(2);
  EXPECT_EQ(taken, 2u);
}
ASYNC_TEST(AsCompleted, "can be left after the last [C19]") {
  const auto taken = co_await leave_after(3);
  EXPECT_EQ(taken, 3u);
}

ASYNC_TEST(AsCompleted, "can be moved before its first task ends") {
  const std::vector<AnyTask> tasks{start(1), create_task(sleep(2s))};
  auto first = as_completed(tasks);
  auto finished = std::move(first);
  const auto a = co_await finished.next();
  const auto b = co_await finished.next();
  EXPECT_EQ(a, tasks[0]);
  EXPECT_EQ(b, tasks[1]);
}

}  // namespace
}  // namespace asyncio
