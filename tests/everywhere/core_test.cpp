// Tasks, generators, stacks of clean-up and jobs in threads, cancelled everywhere.
// SPDX-License-Identifier: MIT
#include "everywhere/everywhere.hpp"

#include <asyncio/coro.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/scope.hpp>
#include <asyncio/task.hpp>
#include <asyncio/threads.hpp>

#include <atomic>
#include <optional>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::everywhere;
using test::require;

Coro<int> two_turns() {
  co_await sleep(0s);
  co_await sleep(0s);
  co_return 2;
}

Coro<> nothing_to_check() { co_return; }

// covers: TakingAwaiter ResultAwaiter Awaiter JoinAwaiter AnyJoinAwaiter
SYNC_TEST(EverywhereCore, "a task that is awaited ends with whoever awaits it, a joined one not") {
  everywhere({[]() -> Coro<> {
                static_cast<void>(co_await create_task(two_turns()));
                const Task<int> task = create_task(two_turns());
                static_cast<void>(co_await task);
                const AnyTask any = create_task(two_turns());
                co_await any;
              },
              &nothing_to_check});
  static std::optional<Task<int>> joined;
  everywhere({[]() -> Coro<> {
                joined = create_task(two_turns());
                static_cast<void>(co_await joined->join());
                joined = create_task(two_turns());
                const AnyTask any = *joined;
                static_cast<void>(co_await any.join());
              },
              []() -> Coro<> {
                if (!joined) co_return;
                static_cast<void>(co_await *joined);
                require(!joined->cancelled(), "a join cancelled what it joins");
              },
              [] { joined.reset(); }});
  joined.reset();
}

AsyncGenerator<int> count_to_three(int& cleaned) {
  struct Cleaned {
    int& count;
    ~Cleaned() { ++count; }
  } const cleanup{cleaned};
  for (int i = 1; i <= 3; ++i) {
    co_await sleep(0s);
    co_yield i;
  }
}

// covers: NextAwaiter CloseAwaiter
SYNC_TEST(EverywhereCore, "a generator is cleaned up once, wherever its reader ends [C21]") {
  static int begun;
  static int cleaned;
  everywhere({[]() -> Coro<> {
                ++begun;
                auto numbers = count_to_three(cleaned);
                int seen = 0;
                while (auto number = co_await numbers.next()) {
                  seen += *number;
                  if (seen == 3) break;
                }
                co_await numbers.aclose();
              },
              []() -> Coro<> {
                co_await sleep(1s);
                require(cleaned <= begun, "cleaned up twice");
              },
              [] { begun = cleaned = 0; }});
}

// covers: enter_kept aenter aexit aclose unwind run
SYNC_TEST(EverywhereCore, "a stack of clean-up leaves what it entered, and nothing else [C11]") {
  static int open;
  struct Door {
    Coro<> aenter() {
      co_await sleep(0s);
      ++open;
    }
    Coro<> aexit(std::exception_ptr) {
      --open;
      co_await sleep(0s);
    }
  };
  static Door first;
  static Door second;
  everywhere({[]() -> Coro<> {
                co_await with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
                  co_await stack.enter(first);
                  co_await stack.enter(second);
                  stack.push_async([]() -> Coro<> { co_await sleep(0s); });
                  co_await stack.aclose();
                  co_await stack.enter(first);
                });
              },
              []() -> Coro<> {
                require(open == 0, "a door stays open, or is closed twice");
                co_return;
              },
              [] { open = 0; }});
}

// covers: ThreadAwaiter shutdown_default_executor
SYNC_TEST(EverywhereCore, "a job in a thread ends, or is asked to, before its loop does [C20]") {
  static std::atomic<int> running;
  everywhere({[]() -> Coro<> {
                static_cast<void>(co_await to_thread([](std::stop_token) {
                  ++running;
                  --running;
                }));
                co_await get_running_loop().shutdown_default_executor();
              },
              []() -> Coro<> {
                co_await get_running_loop().shutdown_default_executor();
                require(running == 0, "a job outlives the executor");
              },
              [] { running = 0; }},
             5);
}

}  // namespace
}  // namespace asyncio
