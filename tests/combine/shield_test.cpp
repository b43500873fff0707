// shield: cancelling who waits does not cancel what is waited for.
// SPDX-License-Identifier: MIT
#include <asyncio/shield.hpp>

#include "combine/words.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>

#include <memory>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::end_of;
using test::Events;

Coro<int> give(int value) {
  co_await sleep(2s);
  co_return value;
}
Coro<int> fail(std::string what) {
  co_await sleep(2s);
  throw std::runtime_error(what);
}

ASYNC_TEST(Shield, "gives the result of the task, which stays in the task") {
  auto task = create_task(sleep(1s, std::string("result")));
  const std::string result = co_await shield(task);
  EXPECT_EQ(result, "result");
  EXPECT_EQ(task.result(), "result");
}

ASYNC_TEST(Shield, "cancelled leaves the task running [R32]") {
  auto task = create_task(give(7));
  auto waiting = create_task(shield(task));
  co_await sleep(1s);
  waiting.cancel();
  const auto end = co_await waiting.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_EQ(task.cancelling(), 0);
  const int value = co_await task;
  EXPECT_EQ(value, 7);
}

ASYNC_TEST(Shield, "is cancelled when the task is [R32]") {
  Events events;
  auto task = create_task(give(7));
  get_running_loop().call_later(1s, [=] { task.cancel(); });
  events.push_back(co_await end_of(shield(task)));
  EXPECT_EQ(events, (Events{"C"}));
  EXPECT_EQ(current_task()->cancelling(), 0);
}

ASYNC_TEST(Shield, "throws what the task throws") {
  auto task = create_task(fail("error"));
  const std::string end = co_await end_of(shield(task));
  EXPECT_EQ(end, "error");
}

ASYNC_TEST(Shield, "whose caller has left has the task's error reported, once [R32] [C12]") {
  auto reports = test::record_reports();
  auto task = create_task(fail("error"));
  auto waiting = create_task(shield(task));
  co_await sleep(1s);
  waiting.cancel();
  co_await waiting.join();
  task = {};
  waiting = {};
  co_await sleep(2s);
  EXPECT_EQ(*reports,
            (Events{"Task exception was never retrieved: std::runtime_error: error"}));
}

ASYNC_TEST(Shield, "whose caller has left loses no error that is asked for later [R32] [C12]") {
  auto task = create_task(fail("error"));
  auto waiting = create_task(shield(task));
  co_await sleep(1s);
  waiting.cancel();
  const std::string end = co_await end_of(task);
  EXPECT_EQ(end, "error");
}

ASYNC_TEST(Shield, "of a future leaves it pending when it is cancelled [R32] [R23]") {
  auto future = get_running_loop().create_future<int>();
  auto first = create_task(shield(future));
  auto second = create_task(shield(future));
  co_await sleep(1s);
  first.cancel();
  co_await sleep(0s);
  future.set_result(7);
  const int value = co_await second;
  EXPECT_TRUE(first.cancelled());
  EXPECT_EQ(value, 7);
}

ASYNC_TEST(Shield, "takes any task, a temporary handle, and what cannot be copied") {
  const AnyTask any = create_task(give(1));
  auto own = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(2); };
  co_await shield(any);
  const int value = co_await shield(create_task(give(3)));
  const auto owned = co_await shield(create_task(own()));
  EXPECT_EQ(value, 3);
  EXPECT_EQ(*owned, 2);
}

ASYNC_TEST(Shield, "inside a gather keeps the task out of its cancellation [R28] [R32]") {
  auto task = create_task(give(7));
  auto all = create_task(gather(shield(task), give(1)));
  co_await sleep(1s);
  all.cancel();
  co_await all.join();
  EXPECT_EQ(task.cancelling(), 0);
  co_await task;
}

ASYNC_TEST(Shield, "does not protect from a cancellation in the turn of the result [R18]") {
  auto future = get_running_loop().create_future<int>();
  auto waiting = create_task(shield(future));
  co_await sleep(1s);
  future.set_result(7);
  waiting.cancel();
  const auto end = co_await waiting.join();
  EXPECT_TRUE(end.cancelled());
  EXPECT_EQ(future.result(), 7);
}

}  // namespace
}  // namespace asyncio
