// Whichever allocation fails, the caller gets std::bad_alloc, nothing leaks and the loop goes on.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include "support/allocations.hpp"
#include "support/async_test.hpp"
#include "support/program.hpp"

#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

// What an operation left behind after each of its allocations had failed once.
struct Left {
  test::Refusals refusals;
  std::size_t tasks = 0;   // besides the caller's
  std::size_t timers = 0;
  std::ptrdiff_t blocks = 0;
  bool loop_goes_on = false;
};

template <class F>
Coro<> fail_each(F attempt, Left& left) {
  left.refusals = co_await test::await_with_each_allocation_failing(attempt);
  co_await sleep(1s);
  left.tasks = get_running_loop().metrics().tasks_alive - 1;
  left.timers = get_running_loop().metrics().timers;
  left.loop_goes_on = true;
}

template <class F>
Left left_by(F attempt) {
  Left left;
  testing::run(fail_each(attempt, left));  // what is allocated once and kept is there from now on
  left = {};
  const std::ptrdiff_t blocks = test::blocks_in_use();
  testing::run(fail_each(attempt, left));
  left.blocks = test::blocks_in_use() - blocks;
  return left;
}

// All but how often it failed, to be compared at once.
std::string text_of(const Left& left) {
  return std::to_string(left.tasks) + " tasks, " + std::to_string(left.timers) + " timers, " +
         std::to_string(left.blocks) + " blocks" + (left.loop_goes_on ? "" : ", the loop ended");
}
const char* const nothing = "0 tasks, 0 timers, 0 blocks";

Coro<int> give(int value) {
  co_await sleep(1s);
  co_return value;
}

SYNC_TEST(AllocationFailure, "in a coroutine call [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> { co_await give(1); });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 2);  // the lambda's frame and give's
}

SYNC_TEST(AllocationFailure, "in create_task [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    auto task = create_task(give(1), {.name = "a name too long for the small string buffer"});
    co_await task;
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 4);  // both frames, the task, its name
}

SYNC_TEST(AllocationFailure, "in create_task of a callable, detached or eager [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    const auto callable = [](int& value) -> Coro<int> { co_return value; };
    auto task = create_task(callable, {.eager_start = true}, 1);
    co_await std::move(task);
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 4);
}

SYNC_TEST(AllocationFailure, "in sleep [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    co_await sleep(1s);
    co_await sleep(1s, 7);
    co_await sleep_until(get_running_loop().now() + 1s);
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 3);
}

SYNC_TEST(AllocationFailure, "in gather [A21] [L1] [R9]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    const auto results = co_await gather(give(1), sleep(2s), give(3));
    static_cast<void>(results);
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 8);
}

SYNC_TEST(AllocationFailure, "in gather of a range, with a limit [A21] [L1] [R9]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    std::vector<Coro<int>> coros;
    for (int i = 0; i < 4; ++i) coros.push_back(give(i));
    const auto results = co_await gather(std::move(coros), {.limit = 2});
    static_cast<void>(results);
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 8);
}

SYNC_TEST(AllocationFailure, "in gather_settled [A21] [L1] [R9]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    const auto fail = []() -> Coro<> {
      co_await sleep(1s);
      throw std::runtime_error("error");
    };
    const auto outcomes = co_await gather_settled(give(1), fail());
    // A child's own allocation fails in the child.
    for (const auto& error :
         {std::get<0>(outcomes).exception(), std::get<1>(outcomes).exception()}) {
      try {
        if (error) std::rethrow_exception(error);
      } catch (const std::runtime_error&) {
      }
    }
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 5);
}

SYNC_TEST(AllocationFailure, "in race [A21] [L1] [R9]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    const auto winner = co_await race(give(1), sleep(5s));
    static_cast<void>(winner);
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 5);
}

SYNC_TEST(AllocationFailure, "in wait and as_completed [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    std::vector<Task<int>> tasks;
    const auto outcome = co_await try_([&]() -> Coro<> {
      tasks.reserve(2);
      tasks.push_back(create_task(give(1)));
      tasks.push_back(create_task(give(2)));
      co_await wait(tasks, {.timeout = 5s, .return_when = FIRST_COMPLETED});
      auto finished = as_completed(tasks, 5s);
      while (auto task = co_await finished.next()) co_await *task;
    });
    for (const auto& task : tasks) co_await task.join();  // none runs into the next attempt
    outcome.value();
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 8);
}

SYNC_TEST(AllocationFailure, "in wait_for that ends in time [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    co_await wait_for(give(1), 5s);
    co_await wait_for(sleep(1s), 5s);
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 4);
}

SYNC_TEST(AllocationFailure, "in timeout and wait_for that do not end in time [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    try {
      co_await wait_for(sleep(5s), 1s);
    } catch (const TimeoutError&) {
    }
    co_await move_on_after(1s, []() -> Coro<> { co_await sleep(5s); });
    try {
      co_await timeout(1s, [](Timeout& limit) -> Coro<> {
        limit.reschedule(get_running_loop().now() + 2s);
        co_await sleep(5s);
      });
    } catch (const TimeoutError&) {
    }
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 6);
}

struct Counted {
  explicit Counted(int& of) noexcept : count(of) { ++count; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count; }
  int& count;
};
Coro<> run_counted(int& running, nanoseconds time) {
  const Counted counted(running);
  co_await sleep(time);
}

SYNC_TEST(AllocationFailure, "in task_group, which joins its children all the same [L1] [R9]") {
  if (!test::without_frame_pool()) return;
  int left_running = 0;
  const Left left = left_by([&]() -> Coro<> {
    int running = 0;
    try {
      co_await task_group([&](TaskGroup& group) -> Coro<> {
        group.create_task(run_counted(running, 1s));
        co_await sleep(0s);
        group.create_task(run_counted(running, 2s), {.eager_start = true});
        co_return;
      });
    } catch (const ExceptionGroup& group) {
      left_running += running;
      std::rethrow_exception(group.exceptions().front());
    } catch (const std::bad_alloc&) {
      left_running += running;
      throw;
    }
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_EQ(left_running, 0);
  EXPECT_GE(left.refusals.bad_alloc, 9);
}

SYNC_TEST(AllocationFailure, "in TaskGroup::start [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    try {
      co_await task_group([](TaskGroup& group) -> Coro<> {
        co_await group.start([](Started& started) -> Coro<> {
          started();
          co_await sleep(1s);
        });
      });
    } catch (const ExceptionGroup& group) {
      std::rethrow_exception(group.exceptions().front());
    }
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 8);
}

SYNC_TEST(AllocationFailure, "in finally does not lose the clean-up [L1]") {
  if (!test::without_frame_pool()) return;
  int owed = 0;
  const Left left = left_by([&]() -> Coro<> {
    co_await finally(
        [&]() -> Coro<> {
          ++owed;
          co_await sleep(1s);
        },
        [&] { --owed; });
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 4);
  EXPECT_LE(owed, 0);  // below 0: the body was owed, and could not begin
}

class Resource {
 public:
  explicit Resource(int& inside) noexcept : inside_(inside) {}
  Coro<> aenter() {
    ++inside_;
    co_return;
  }
  // No coroutine, so that only the library's allocations fail.
  Future<> aexit(std::exception_ptr) {
    --inside_;
    return left_;
  }
  void leave_by(Future<> future) { left_ = std::move(future); }

 private:
  int& inside_;
  Future<> left_;
};

SYNC_TEST(AllocationFailure, "in with does not lose the exit of what was entered [L1]") {
  if (!test::without_frame_pool()) return;
  int inside = 0;
  const Left left = left_by([&]() -> Coro<> {
    auto future = get_running_loop().create_future<>();
    future.set_result();
    Resource resource(inside);
    resource.leave_by(future);
    co_await with(resource, []() -> Coro<> { co_await sleep(1s); });
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_EQ(inside, 0);
  EXPECT_GE(left.refusals.bad_alloc, 5);
}

SYNC_TEST(AllocationFailure, "in AsyncExitStack does not lose what was pushed [L1]") {
  if (!test::without_frame_pool()) return;
  int pushed = 0;
  const Left left = left_by([&]() -> Coro<> {
    co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
      stack.push_async([&] { --pushed; });
      ++pushed;
      co_await sleep(1s);
    });
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 5);
}

SYNC_TEST(AllocationFailure, "in shield and join [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    auto task = create_task(give(1));
    co_await shield(task);
    co_await task.join();
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 3);
}

SYNC_TEST(AllocationFailure, "in to_thread [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    const int value = co_await to_thread([](int n) { return n; }, 7);
    static_cast<void>(value);
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 2);
}

AsyncGenerator<int> count() {
  for (int i = 0;; ++i) {
    co_await sleep(1s);
    co_yield i;
  }
}

SYNC_TEST(AllocationFailure, "in a generator [A21] [L1]") {
  if (!test::without_frame_pool()) return;
  const Left left = left_by([]() -> Coro<> {
    auto numbers = count();
    co_await numbers.next();
    co_await numbers.aclose();
  });
  EXPECT_EQ(text_of(left), nothing);
  EXPECT_GE(left.refusals.bad_alloc, 2);
}

}  // namespace
}  // namespace asyncio
