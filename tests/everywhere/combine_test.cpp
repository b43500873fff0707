// No combinator leaves a child behind or loses an error, wherever it is cancelled.
// SPDX-License-Identifier: MIT
#include "everywhere/everywhere.hpp"

#include <asyncio/future.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/race.hpp>
#include <asyncio/scope.hpp>
#include <asyncio/shield.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/wait.hpp>

#include <optional>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::everywhere;
using test::require;

int alive = 0;  // children that have begun and not ended

struct Alive {
  Alive() { ++alive; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  ~Alive() { --alive; }
};

Coro<> pass_turns(int turns) {
  for (int i = 0; i < turns; ++i) co_await sleep(0s);
}

// Takes a turn to end, also if it is cancelled.
Coro<int> child(int turns) {
  const Alive here;
  co_await finally([turns] { return pass_turns(turns); }, [] { return pass_turns(1); });
  co_return turns;
}

std::vector<Coro<int>> children(int first, int last) {
  std::vector<Coro<int>> all;
  for (int turns = first; turns <= last; ++turns) all.push_back(child(turns));
  return all;
}

Coro<> nobody_left() {
  require(alive == 0, "a child outlives its parent");
  require(get_running_loop().metrics().timers == 0, "a timer outlives its scope");
  co_return;
}

Coro<> nobody_left_later() {
  co_await sleep(1s);
  co_await nobody_left();
}

template <class Run>
void leaves_nobody(Run run) {
  everywhere({run, &nobody_left, [] { alive = 0; }});
}

// covers: gather ArgumentsWait gather_range ChildAwaiter SettleAwaiter Wait
SYNC_TEST(EverywhereCombine, "gather joins its children [C6]") {
  leaves_nobody([]() -> Coro<> { static_cast<void>(co_await gather(child(1), child(3))); });
  leaves_nobody([]() -> Coro<> { static_cast<void>(co_await gather(children(1, 3))); });
}

// covers: gather_settled settle_range
SYNC_TEST(EverywhereCombine, "gather_settled joins its children [C6]") {
  leaves_nobody([]() -> Coro<> { static_cast<void>(co_await gather_settled(child(1), child(3))); });
  leaves_nobody([]() -> Coro<> { static_cast<void>(co_await gather_settled(children(1, 3))); });
}

// covers: race_range
SYNC_TEST(EverywhereCombine, "race joins its losers [C6][C9]") {
  leaves_nobody([]() -> Coro<> { static_cast<void>(co_await race(child(2), child(3))); });
  leaves_nobody([]() -> Coro<> { static_cast<void>(co_await race(children(2, 4))); });
}

// covers: timeout_scope timeout_at_scope move_on_scope wait_for_coro wait_for_operation
SYNC_TEST(EverywhereCombine, "a time limit ends what it limits, and takes its timer along [C3]") {
  leaves_nobody([]() -> Coro<> {
    co_await timeout(1s, [](Timeout&) -> Coro<> { static_cast<void>(co_await child(3)); });
  });
  leaves_nobody([]() -> Coro<> {
    co_await timeout_at(get_running_loop().now() + 1s,
                        [](Timeout&) -> Coro<> { static_cast<void>(co_await child(2)); });
  });
  leaves_nobody([]() -> Coro<> {
    static_cast<void>(co_await move_on_after(
        1s, [](Timeout&) -> Coro<> { co_await sleep(2s); }));
  });
  leaves_nobody([]() -> Coro<> { static_cast<void>(co_await wait_for(child(3), 1s)); });
  leaves_nobody([]() -> Coro<> { co_await wait_for(sleep(1s), 2s); });
}

// covers: group_body group_scope start exit run_started
SYNC_TEST(EverywhereCombine, "a task group joins its children [C4][C6]") {
  leaves_nobody([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(child(2));
      group.create_task(child(3));
      co_await sleep(0s);
    });
  });
  leaves_nobody([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      co_await group.start([](Started& started) -> Coro<> {
        co_await sleep(0s);
        started();
        static_cast<void>(co_await child(2));
      });
    });
  });
}

// covers: wait_children wait_range next_index next
SYNC_TEST(EverywhereCombine, "wait leaves tasks alone that are not its own") {
  everywhere({[]() -> Coro<> {
                std::vector<Task<int>> tasks{create_task(child(2)), create_task(child(3))};
                static_cast<void>(co_await wait(tasks));
                for (const Task<int>& task : tasks) require(task.done(), "wait() came too early");
              },
              &nobody_left_later, [] { alive = 0; }});
  everywhere({[]() -> Coro<> {
                std::vector<Task<int>> tasks{create_task(child(2)), create_task(child(3))};
                auto done = as_completed(tasks);
                while (auto task = co_await done.next()) static_cast<void>(task->result());
              },
              &nobody_left_later, [] { alive = 0; }});
}

// covers: finally_scope run_cleanup run_body try_scope with_scope enter_and_run leave_resource
SYNC_TEST(EverywhereCombine, "clean-up runs, and once [C11]") {
  static int opened;
  static int closed;
  struct Resource {
    Coro<> aenter() {
      co_await sleep(0s);
      ++opened;
    }
    Coro<> aexit(std::exception_ptr) {
      ++closed;
      co_await sleep(0s);
    }
  };
  const auto begin = [] { alive = opened = closed = 0; };
  const auto balanced = []() -> Coro<> {
    require(opened == closed, "opened and never closed, or closed twice");
    co_await nobody_left();
  };
  everywhere({[]() -> Coro<> {
                co_await with(Resource(),
                              [](auto&) -> Coro<> { static_cast<void>(co_await child(2)); });
              },
              balanced, begin});
  everywhere({[]() -> Coro<> {
                ++opened;
                co_await finally([]() -> Coro<> { static_cast<void>(co_await child(2)); },
                                 []() -> Coro<> {
                                   ++closed;
                                   co_await sleep(0s);
                                 });
              },
              balanced, begin});
  everywhere({[]() -> Coro<> {
                static_cast<void>(co_await try_([] { return child(2); }));
              },
              balanced, begin});
}

// covers: SleepAwaiter sleep sleep_and_give sleep_until ResultAwaiter
SYNC_TEST(EverywhereCombine, "sleeps and futures are left without a trace [E3]") {
  leaves_nobody([]() -> Coro<> {
    co_await sleep(1s);
    co_await sleep_until(get_running_loop().now() + 1s);
    static_cast<void>(co_await sleep(1s, 5));
  });
  leaves_nobody([]() -> Coro<> {
    Future<int> future = get_running_loop().create_future<int>();
    get_running_loop().call_soon([future] {
      if (!future.done()) future.set_result(1);
    });
    static_cast<void>(co_await future);
  });
}

// covers: ShieldAwaiter
SYNC_TEST(EverywhereCombine, "shield keeps what it shields alive to its end [C12]") {
  static int ended;
  everywhere({[]() -> Coro<> {
                auto inner = create_task([]() -> Coro<> {
                  static_cast<void>(co_await child(3));
                  ++ended;
                });
                co_await shield(inner);
              },
              []() -> Coro<> {
                co_await nobody_left_later();
                require(ended <= 1, "it ended twice");
              },
              [] { alive = ended = 0; }});
}

}  // namespace
}  // namespace asyncio
