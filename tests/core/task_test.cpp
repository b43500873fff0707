// Tasks start in order, keep what they need, and end in one way that everybody sees.
// SPDX-License-Identifier: MIT
#include <asyncio/task.hpp>

#include "support/allocations.hpp"
#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/detail/base/frame_pool.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <stdexcept>
#include <thread>
#include <unordered_set>
#include <utility>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

Coro<int> give(int value) { co_return value; }
Coro<int> give_later(int value) {
  co_await sleep(1s);
  co_return value;
}
Coro<> fail(std::string text) {
  co_await sleep(0s);
  throw std::runtime_error(text);
}
Coro<> say(Events& events, std::string word) {
  events.push_back(word);
  co_return;
}

// ---- starting

ASYNC_TEST(Task, "does not run its body inside create_task, but on the next turn in order [R10]") {
  Events events;
  auto a = create_task(say(events, "a"));
  auto b = create_task(say(events, "b"));
  events.push_back("made");
  co_await sleep(0s);
  events.push_back("next turn");
  EXPECT_EQ(events, (Events{"made", "a", "b", "next turn"}));
  EXPECT_TRUE(a.done() && b.done());
}

ASYNC_TEST(Task, "awaiting a coroutine runs it at once, without the loop [R10]") {
  Events events;
  const std::uint64_t turns = get_running_loop().metrics().turns;
  get_running_loop().call_soon([&] { events.push_back("loop"); });
  co_await say(events, "child");
  events.push_back("parent");
  EXPECT_EQ(get_running_loop().metrics().turns, turns);
  EXPECT_EQ(events, (Events{"child", "parent"}));
  co_await sleep(0s);
}

ASYNC_TEST(Task, "sleep(0s) lets the others run exactly one turn [R11]") {
  const std::uint64_t turns = get_running_loop().metrics().turns;
  co_await sleep(0s);
  EXPECT_EQ(get_running_loop().metrics().turns, turns + 1);
}

ASYNC_TEST(Task, "awaiting a done task does not suspend [R11]") {
  auto task = create_task(give(7));
  co_await sleep(0s);
  const std::uint64_t turns = get_running_loop().metrics().turns;
  const int value = co_await task;
  EXPECT_EQ(value, 7);
  EXPECT_EQ(get_running_loop().metrics().turns, turns);
}

ASYNC_TEST(Task, "takes any awaitable: a sleep, a future, a task [R10]") {
  auto future = get_running_loop().create_future<int>();
  auto of_sleep = create_task(sleep(1s));
  auto of_future = create_task(future);
  auto of_task = create_task(of_future);
  future.set_result(3);
  co_await of_sleep;
  const int value = co_await of_task;
  EXPECT_EQ(value, 3);
}

ASYNC_TEST(Task, "ensure_future gives the same task back [R10]") {
  auto task = create_task(give(1));
  auto same = ensure_future(task);
  auto other = ensure_future(give(2));
  EXPECT_TRUE(same == task);
  const int two = co_await other;
  EXPECT_EQ(two, 2);
}

SYNC_TEST(Task, "cannot be created where no loop runs [R7]") {
  EXPECT_THROW(static_cast<void>(create_task(give(1))), RuntimeError);
}

// ---- completion

ASYNC_TEST(Task, "wakes callbacks and awaiters in one line, on the turn after [R12]") {
  Events events;
  auto future = get_running_loop().create_future<>();
  future.add_done_callback([&](Future<>) { events.push_back("cb1"); });
  auto task = create_task([](Future<> f, Events& log) -> Coro<> {
    co_await f;
    log.push_back("task");
  }(future, events));
  co_await sleep(0s);
  future.add_done_callback([&](Future<>) { events.push_back("cb2"); });
  future.set_result();
  events.push_back("set");
  co_await task;
  EXPECT_EQ(events, (Events{"set", "cb1", "task", "cb2"}));
}

ASYNC_TEST(Task, "calls a callback on the next turn though it is done already [R12]") {
  Events events;
  auto task = create_task(give(5));
  co_await task;
  task.add_done_callback([&](Task<int> done) { events.push_back(std::to_string(done.result())); });
  events.push_back("added");
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"added", "5"}));
}

ASYNC_TEST(Task, "does not call a callback that was removed [R12]") {
  Events events;
  auto task = create_task(give(5));
  const CallbackId kept = task.add_done_callback([&](Task<int>) { events.push_back("kept"); });
  const CallbackId gone = task.add_done_callback([&](Task<int>) { events.push_back("gone"); });
  const std::size_t removed = task.remove_done_callback(gone);
  const std::size_t again = task.remove_done_callback(gone);
  co_await task;
  co_await sleep(0s);
  EXPECT_EQ(removed, 1u);
  EXPECT_EQ(again, 0u);
  EXPECT_NE(kept, gone);
  EXPECT_EQ(events, (Events{"kept"}));
}

ASYNC_TEST(Task,
           "takes a snapshot of its callbacks: one added by another comes a turn later [R12]") {
  Events events;
  auto task = create_task(give(5));
  task.add_done_callback([&](Task<int> done) {
    events.push_back("first");
    done.add_done_callback([&](Task<int>) { events.push_back("added"); });
  });
  task.add_done_callback([&](Task<int>) { events.push_back("second"); });
  co_await sleep(0s);
  co_await sleep(0s);
  events.push_back("turn");
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"first", "second", "turn", "added"}));
}

// ---- results

ASYNC_TEST(Task, "gives its result as often as asked [R12a] [A24]") {
  auto task = create_task([]() -> Coro<std::string> { co_return "word"; });
  const std::string& first = co_await task;
  const std::string& second = co_await task;
  EXPECT_EQ(first, "word");
  EXPECT_EQ(&first, &second);
  EXPECT_EQ(&first, &task.result());
}

ASYNC_TEST(Task, "gives the same exception object to everybody [R12a]") {
  auto task = create_task(fail("once"));
  const auto outcome = co_await task.join();
  EXPECT_EQ(task.exception(), outcome.exception());
  EXPECT_THROW(task.result(), std::runtime_error);
  EXPECT_EQ(task.exception(), outcome.exception());
}

ASYNC_TEST(Task, "has no result while it is pending [R12a]") {
  auto task = create_task(give_later(1));
  EXPECT_THROW(static_cast<void>(task.result()), InvalidStateError);
  EXPECT_THROW(static_cast<void>(task.exception()), InvalidStateError);
  EXPECT_THROW(static_cast<void>(task.outcome()), InvalidStateError);
  co_await task;
  EXPECT_EQ(task.result(), 1);
  EXPECT_EQ(task.exception(), nullptr);
}

ASYNC_TEST(Task, "cancel() after its end is false and changes nothing [R12a] [C7]") {
  auto task = create_task(give(1));
  co_await task;
  EXPECT_FALSE(task.cancel());
  EXPECT_FALSE(task.cancel());
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(task.result(), 1);
}

ASYNC_TEST(Task, "moves a move-only result out of the last co_await [A24]") {
  auto task = create_task([]() -> Coro<std::unique_ptr<int>> {
    co_return std::make_unique<int>(42);
  });
  auto other = task;
  const std::unique_ptr<int> number = co_await std::move(task);
  EXPECT_EQ(*number, 42);
  EXPECT_THROW(static_cast<void>(other.result()), InvalidStateError);
}

ASYNC_TEST(Task, "says that the result was taken, to whoever awaits it later [A24]") {
  auto task = create_task([]() -> Coro<std::unique_ptr<int>> { co_return nullptr; });
  auto other = task;
  static_cast<void>(co_await std::move(task));
  std::string message;
  try {
    static_cast<void>(co_await other);
  } catch (const InvalidStateError& error) {
    message = error.what();
  }
  EXPECT_EQ(message, "the result was taken");
}

ASYNC_TEST(Task,
           "copies a result while others hold the task, and moves it out for the last [A24]") {
  auto task =
      create_task([]() -> Coro<std::shared_ptr<int>> { co_return std::make_shared<int>(); });
  auto other = task;
  const auto copied = co_await std::move(task);
  EXPECT_EQ(copied.use_count(), 2);
  const auto moved = co_await std::move(other);
  EXPECT_EQ(moved.use_count(), 2);
}

ASYNC_TEST(Task, "gives a reference that it was returned [A24]") {
  int number = 1;
  auto task = create_task([](int& n) -> Coro<int&> { co_return n; }(number));
  int& same = co_await task;
  int& again = task.result();
  EXPECT_EQ(&same, &number);
  EXPECT_EQ(&again, &number);
}

struct ThrowsInMove {
  std::shared_ptr<int> alive = std::make_shared<int>();
  int moves_left = 0;

  explicit ThrowsInMove(int moves) : moves_left(moves) {}
  ThrowsInMove(ThrowsInMove&& other) : alive(other.alive), moves_left(other.moves_left - 1) {
    if (moves_left < 0) throw std::runtime_error("moved once too often");
  }
  ThrowsInMove(const ThrowsInMove&) = delete;
  ThrowsInMove& operator=(const ThrowsInMove&) = delete;
};

// How it ends when a coroutine's value throws in its n-th move, and how many copies it leaves.
Coro<std::string> move_that_throws(int moves) {
  std::weak_ptr<int> alive;
  std::string end = "value";
  try {
    auto task = create_task([&alive, moves]() -> Coro<ThrowsInMove> {
      ThrowsInMove value(moves);
      alive = value.alive;
      co_return std::move(value);
    });
    const ThrowsInMove value = co_await std::move(task);
  } catch (const std::runtime_error& error) {
    end = error.what();
  }
  co_await sleep(0s);
  co_return end + (alive.expired() ? "" : ", leaked");
}

ASYNC_TEST(Task, "gives the error of a result that throws in any of its moves [A25]") {
  Events ends;
  for (int moves = 0; moves < 8; ++moves) ends.push_back(co_await move_that_throws(moves));
  EXPECT_EQ(ends.front(), "moved once too often");
  EXPECT_EQ(ends.back(), "value");
  EXPECT_EQ(std::count(ends.begin(), ends.end(), "value") +
                std::count(ends.begin(), ends.end(), "moved once too often"),
            8);
}

ASYNC_TEST(Task, "keeps what its callable captured until it ends [A8]") {
  auto held = std::make_shared<int>(5);
  auto task = create_task([held]() -> Coro<int> {
    co_await sleep(1s);
    co_return *held;
  });
  EXPECT_EQ(held.use_count(), 2);
  const int value = co_await task;
  EXPECT_EQ(value, 5);
  EXPECT_EQ(held.use_count(), 1);
}

ASYNC_TEST(Task, "keeps the arguments of its callable [A9]") {
  const auto length = [](const std::string& text, const std::string& more) -> Coro<std::size_t> {
    co_await sleep(1s);
    co_return text.size() + more.size();
  };
  auto task = create_task(length, {}, std::string(100, 'x'), std::string(23, 'y'));
  const std::size_t size = co_await task;
  EXPECT_EQ(size, 123u);
}

ASYNC_TEST(Task, "copies the name it is given [A9] [A10]") {
  auto task = create_task(give(1), {.name = std::string("a name that is a temporary string")});
  EXPECT_EQ(task.get_name(), "a name that is a temporary string");
  co_await task;
}

ASYNC_TEST(Task, "takes its options in every spelling, in one awaited expression [A10]") {
  const int a = co_await create_task(give(1), {.name = "x"});
  const int b = co_await create_task(give(2), TaskOptions{.name = "y", .eager_start = true});
  const int c = co_await create_task(give(3), TaskOptions{});
  const int d = co_await create_task(give(4), {});
  const int e = co_await create_task(give, {.name = "z"}, 5);
  EXPECT_EQ(a + b + c + d + e, 15);
}

// ---- who is who

ASYNC_TEST(Task, "has its number before a task factory makes tasks of its own") {
  EventLoop& loop = get_running_loop();
  Task<int> inner;
  bool asked = false;
  loop.set_task_factory([&](EventLoop&, AnyTask) {
    if (!std::exchange(asked, true)) inner = create_task(give(1));
  });
  auto outer = create_task(give(2));
  loop.set_task_factory({});
  EXPECT_NE(outer.get_name(), inner.get_name());
  co_await outer;
  co_await inner;
}

ASYNC_TEST(Task, "may be made by a factory that replaces itself") {
  EventLoop& loop = get_running_loop();
  Events events;
  loop.set_task_factory([&loop, &events, name = std::string("kept while it is called")](
                            EventLoop&, AnyTask) {
    loop.set_task_factory({});
    events.push_back(name);
  });
  co_await create_task(give(1));
  co_await create_task(give(2));
  EXPECT_EQ(events, (Events{"kept while it is called"}));
}

ASYNC_TEST(Task, "is named by a number or by its maker, and can be renamed") {
  auto task = create_task(give(1));
  auto named = create_task(give(1), {.name = "mine"});
  EXPECT_EQ(task.get_name().substr(0, 5), "Task-");
  EXPECT_EQ(named.get_name(), "mine");
  task.set_name("renamed");
  EXPECT_EQ(task.get_name(), "renamed");
  co_await task;
  co_await named;
  EXPECT_EQ(named.get_name(), "mine");
}

ASYNC_TEST(Task, "knows itself as current_task, and callbacks know none") {
  std::optional<AnyTask> inside;
  std::optional<AnyTask> in_callback = current_task();
  auto task = create_task([](std::optional<AnyTask>& seen) -> Coro<> {
    seen = current_task();
    co_return;
  }(inside));
  get_running_loop().call_soon([&] { in_callback = current_task(); });
  co_await task;
  co_await sleep(0s);
  EXPECT_TRUE(inside.has_value() && *inside == AnyTask(task));
  EXPECT_FALSE(in_callback.has_value());
}

ASYNC_TEST(Task, "is in all_tasks from its creation to its end") {
  auto task = create_task(give(1));
  const auto during = all_tasks();
  co_await task;
  const auto after = all_tasks();
  EXPECT_EQ(during.size(), 2u);
  EXPECT_TRUE(during.back() == AnyTask(task));
  EXPECT_EQ(after.size(), 1u);
}

ASYNC_TEST(Task, "is a key: handles of one task are equal and hash alike") {
  auto task = create_task(give(1));
  auto other = create_task(give(1));
  std::unordered_set<Task<int>> set{task, task, other};
  std::unordered_set<AnyTask> any{task, other, other};
  EXPECT_EQ(set.size(), 2u);
  EXPECT_EQ(any.size(), 2u);
  EXPECT_NE(task.get_id(), other.get_id());
  co_await task;
  co_await other;
}

ASYNC_TEST(Task, "is found again behind an AnyTask by its type") {
  auto task = create_task(give(7));
  AnyTask any = task;
  co_await any;
  EXPECT_TRUE(any.get_if<int>() == task);
  EXPECT_FALSE(any.get_if<std::string>());
  EXPECT_TRUE(any.done());
}

ASYNC_TEST(Task, "shows through an AnyTask how it ended") {
  auto task = create_task(fail("seen"));
  AnyTask any = task;
  const Outcome<> outcome = co_await any.join();
  EXPECT_FALSE(outcome.has_value());
  EXPECT_EQ(any.exception(), outcome.exception());
}

SYNC_TEST(Task, "throws from an empty handle [A18]") {
  const Task<int> empty;
  EXPECT_FALSE(empty);
  EXPECT_THROW(static_cast<void>(empty.done()), InvalidStateError);
  EXPECT_THROW(empty.cancel(), InvalidStateError);
  EXPECT_THROW(static_cast<void>(empty.result()), InvalidStateError);
  EXPECT_THROW(static_cast<void>(empty.get_name()), InvalidStateError);
  EXPECT_THROW(static_cast<void>(AnyTask().exception()), InvalidStateError);
  EXPECT_THROW(Task<int>().detach(), InvalidStateError);
}

// ---- coroutines

ASYNC_TEST(Coroutine, "throws when one is awaited that was moved from [A18]") {
  Coro<int> first = give(1);
  Coro<int> second = std::move(first);
  bool refused = false;
  try {
    static_cast<void>(co_await std::move(first));
  } catch (const RuntimeError&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
  EXPECT_THROW(static_cast<void>(create_task(std::move(first))), RuntimeError);
  const int one = co_await std::move(second);
  EXPECT_EQ(one, 1);
}

ASYNC_TEST(Coroutine, "throws when one is awaited a second time [A18]") {
  Coro<int> coro = give(1);
  static_cast<void>(co_await std::move(coro));
  bool refused = false;
  try {
    static_cast<void>(co_await std::move(coro));
  } catch (const RuntimeError&) {
    refused = true;
  }
  EXPECT_TRUE(refused);
}

SYNC_TEST(Coroutine, "that is never awaited frees its arguments [A19]") {
  auto held = std::make_shared<int>(0);
  {
    auto coro = [](std::shared_ptr<int>) -> Coro<> { co_return; }(held);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_NE(test::take_stderr().find("was never awaited"), std::string::npos);
}

struct alignas(64) Wide {
  double numbers[8] = {};
};
const Wide wide_one;  // not a local: g++ 12 would misplace it in the frame

ASYNC_TEST(Coroutine, "returns over-aligned values aligned [A14]") {
  auto task = create_task([]() -> Coro<Wide> { co_return wide_one; });
  const Wide& wide = co_await task;
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&wide) % 64, 0u);
}

}  // namespace
}  // namespace asyncio
