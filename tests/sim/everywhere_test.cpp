// cancel_everywhere cancels at every point in every way, and finds what is lost there.
// SPDX-License-Identifier: MIT
#include <asyncio/testing.hpp>

#include "support/async_test.hpp"

#include <asyncio/exceptions.hpp>
#include <asyncio/future.hpp>
#include <asyncio/queue.hpp>
#include <asyncio/scope.hpp>
#include <asyncio/sleep.hpp>

#include <deque>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;
using Way = testing::Cancellation::Way;

Coro<> sleep_three_times(int& slept) {
  for (int i = 0; i < 3; ++i) {
    co_await sleep(1s);
    ++slept;
  }
}

SYNC_TEST(Everywhere, "cancels in every wait, and before the first, in each way") {
  int slept = 0;
  std::set<std::string> seen;
  const std::size_t tried = testing::cancel_everywhere(
      [&slept] {
        slept = 0;
        return sleep_three_times(slept);
      },
      [&](const testing::Cancellation& where) {
        seen.insert(where.text() + ": " + std::to_string(slept));
      });
  EXPECT_EQ(tried, 22u);  // neither a timeout nor a group reaches what has not begun
  EXPECT_EQ(seen.size(), 22u);
  EXPECT_TRUE(seen.count("before it begins, at once: 0"));
  EXPECT_TRUE(seen.count("in wait 1, at once: 0"));
  EXPECT_TRUE(seen.count("in wait 2, before its completion: 1"));
  EXPECT_TRUE(seen.count("in wait 3, after its completion: 2"));
  EXPECT_TRUE(seen.count("in wait 3, by a timeout: 2"));
  EXPECT_TRUE(seen.count("in wait 2, by the failure of a group: 1"));
}

SYNC_TEST(Everywhere, "what is cancelled before it begins does not begin, in any way") {
  bool begun = false;
  const auto begin = [&begun]() -> Coro<> {
    begun = true;
    co_await sleep(1s);
  };
  testing::cancel_everywhere(
      [&] {
        begun = false;
        return begin();
      },
      [&begun](const testing::Cancellation& where) {
        EXPECT_EQ(begun, where.point > 0) << where.text();
      });
}

// The completion comes from another task, in the middle of a turn.
SYNC_TEST(Everywhere, "comes before and after what completes the wait, in the same turn") {
  Events events;
  testing::cancel_everywhere(
      [&events]() -> Coro<> {
        Future<int> future = get_running_loop().create_future<int>();
        auto setter = create_task([](Future<int> target, Events& all) -> Coro<> {
          co_await sleep(1s);
          all.push_back(target.done() ? "too late" : "set");
          if (!target.done()) target.set_result(1);
        }(future, events));
        bool cancelled = false;
        try {
          static_cast<void>(co_await future);
        } catch (const CancelledError&) {
          cancelled = true;
        }
        co_await setter;
        events.push_back(cancelled ? "cancelled" : "got it");
      },
      [&](const testing::Cancellation& where) {
        if (where.point != 1) return events.clear();
        if (where.way == Way::before_completion) {
          EXPECT_EQ(events, (Events{"too late", "cancelled"}));
        } else if (where.way == Way::after_completion) {
          EXPECT_EQ(events, (Events{"set", "cancelled"}));
        }
        events.clear();
      });
}

SYNC_TEST(Everywhere, "asks once more while a scenario cleans up") {
  std::set<std::string> ends;
  testing::cancel_everywhere(
      [&ends]() -> Coro<> {
        std::string end = "undisturbed";
        try {
          co_await sleep(1s);
        } catch (const CancelledError&) {
          end = "cleaned up";
        }
        try {
          co_await sleep(1s);
        } catch (const CancelledError&) {
          end += ", disturbed";
        }
        ends.insert(end);
      },
      [] {});
  EXPECT_TRUE(ends.count("cleaned up, disturbed"));
  EXPECT_TRUE(ends.count("cleaned up"));
  EXPECT_TRUE(ends.count("undisturbed, disturbed"));
}

/// A lock as one writes it first: it is handed over to a waiter who may have been cancelled.
class NaiveLock {
 public:
  Coro<> acquire() {
    if (!std::exchange(locked_, true)) co_return;
    Future<bool> turn = get_running_loop().create_future<bool>();
    waiters_.push_back(turn);
    static_cast<void>(co_await turn);
  }
  void release() {
    while (!waiters_.empty()) {
      const Future<bool> next = waiters_.front();
      waiters_.pop_front();
      if (next.done()) continue;
      next.set_result(true);
      return;
    }
    locked_ = false;
  }
  bool locked() const { return locked_; }

 private:
  bool locked_ = false;
  std::deque<Future<bool>> waiters_;
};

template <class L>
Coro<> hold_for(L& lock, std::chrono::seconds time) {
  co_await lock.acquire();
  try {
    co_await sleep(time);
  } catch (...) {
    lock.release();
    throw;
  }
  lock.release();
}

template <class L>
Coro<> contend(L& lock) {
  auto other = create_task(hold_for(lock, 1s));
  co_await sleep(0s);
  co_await hold_for(lock, 1s);
  co_await other;
}

SYNC_TEST(Everywhere, "finds the lock that is lost with a cancelled waiter [C2][L12]") {
  std::optional<NaiveLock> lock;
  EXPECT_THROW(testing::cancel_everywhere(
                   [&lock] {
                     lock.emplace();
                     return contend(*lock);
                   },
                   [&lock]() -> Coro<> {
                     co_await sleep(5s);
                     if (lock->locked()) throw std::runtime_error("nobody has the lock");
                   }),
               std::runtime_error);
  const std::string said = test::take_stderr();
  EXPECT_NE(said.find("cancel_everywhere: in wait 2, after its completion, in "),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("nobody has the lock"), std::string::npos) << said;
}

SYNC_TEST(Everywhere, "takes false from the check, and any unexpected end, for failure") {
  EXPECT_THROW(testing::cancel_everywhere([] { return sleep(1s); }, [] { return false; }),
               RuntimeError);
  const auto refuse = []() -> Coro<bool> {
    co_await sleep(0s);
    co_return false;
  };
  EXPECT_THROW(testing::cancel_everywhere([] { return sleep(1s); }, refuse), RuntimeError);
  test::take_stderr();
  EXPECT_THROW(testing::cancel_everywhere(
                   []() -> Coro<> {
                     try {
                       co_await sleep(1s);
                     } catch (const CancelledError&) {
                       throw std::runtime_error("not a cancellation");
                     }
                   },
                   [] {}),
               std::runtime_error);
  EXPECT_NE(test::take_stderr().find("not a cancellation"), std::string::npos);
}

}  // namespace
}  // namespace asyncio
