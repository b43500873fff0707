// Nothing that tasks wait for in line is lost, wherever one of them is cancelled.
// SPDX-License-Identifier: MIT
#include "everywhere/everywhere.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/queue.hpp>
#include <asyncio/sync.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::everywhere;
using test::require;
using test::Scenario;

template <class Owner>
Coro<> hold(Owner& owner) {
  auto held = co_await owner.scoped_acquire();
  co_await sleep(0s);
}

template <class Owner>
Coro<> hold_by_hand(Owner& owner) {
  co_await owner.acquire();
  try {
    co_await sleep(0s);
  } catch (...) {
    owner.release();
    throw;
  }
  owner.release();
}

// Three want it; the one in the middle is the one that is cancelled.
template <class Owner>
Scenario contention(std::optional<Owner>& owner, std::vector<Task<>>& others) {
  return {[&]() -> Coro<> {
            others = {create_task(hold(*owner)), create_task(hold_by_hand(*owner))};
            co_await sleep(0s);
            co_await hold_by_hand(*owner);
            co_await hold(*owner);
          },
          [&]() -> Coro<> {
            for (Task<>& other : others) co_await other;
            require(!owner->locked(), "it was never given back");
            co_await owner->acquire();
            owner->release();
          },
          [&] {
            owner.emplace();
            others.clear();
          }};
}

// covers: AcquireWait ScopedAcquireWait
SYNC_TEST(EverywhereSync, "a Lock always finds its next owner [R57][C2]") {
  std::optional<Lock> lock;
  std::vector<Task<>> others;
  everywhere(contention(lock, others));
}

SYNC_TEST(EverywhereSync, "a Semaphore loses no permit [R60][C2]") {
  std::optional<Semaphore> semaphore;
  std::vector<Task<>> others;
  everywhere(contention(semaphore, others));
}

// covers: FlagWait
SYNC_TEST(EverywhereSync, "an Event wakes everybody [R58][C2]") {
  std::optional<Event> event;
  std::vector<Task<>> others;
  const auto wait = [](Event& shared) -> Coro<> { co_await shared.wait(); };
  everywhere({[&]() -> Coro<> {
                others = {create_task(wait(*event)), create_task([](Event& shared) -> Coro<> {
                            co_await sleep(0s);
                            co_await sleep(0s);
                            shared.set();
                          }(*event))};
                co_await wait(*event);
                co_await sleep(0s);
              },
              [&]() -> Coro<> {
                for (Task<>& other : others) co_await other;
              },
              [&] {
                event.emplace();
                others.clear();
              }});
}

// covers: wait wait_for
SYNC_TEST(EverywhereSync, "a Condition loses no notification, nor its lock [R59][C2][D7]") {
  struct Store {
    Condition changed;
    int items = 0;
    int taken = 0;
  };
  std::optional<Store> store;
  std::vector<Task<>> others;
  const auto take = [](Store& shared) -> Coro<> {
    auto held = co_await shared.changed.scoped_acquire();
    static_cast<void>(co_await shared.changed.wait_for([&] { return shared.items > 0; }));
    --shared.items;
    ++shared.taken;
  };
  const auto add = [](Store& shared, int count) -> Coro<> {
    for (int i = 0; i < count; ++i) {
      co_await sleep(0s);
      auto held = co_await shared.changed.scoped_acquire();
      ++shared.items;
      shared.changed.notify();
    }
  };
  everywhere({[&]() -> Coro<> {
                others = {create_task(take(*store)), create_task(add(*store, 1))};
                co_await take(*store);
              },
              [&]() -> Coro<> {
                if (others.empty()) co_return;  // cancelled before it began
                co_await sleep(1s);
                require(store->items == 0, "a waiter sleeps beside an item");
                if (!others.front().done()) co_await add(*store, 1);
                for (Task<>& other : others) co_await other;
                require(!store->changed.locked(), "the lock was never given back");
                require(store->items == 0, "an item is lost");
              },
              [&] {
                store.emplace();
                others.clear();
              }});
}

// covers: Waiting
SYNC_TEST(EverywhereSync, "a Barrier counts who waits, and nobody else [R62][C2][D8]") {
  std::optional<Barrier> barrier;
  std::vector<Task<>> others;
  std::vector<std::size_t> numbers;
  const auto come = [](Barrier& shared, std::vector<std::size_t>& all) -> Coro<> {
    all.push_back(co_await shared.wait());
  };
  everywhere({[&]() -> Coro<> {
                others = {create_task(come(*barrier, numbers)),
                          create_task(come(*barrier, numbers))};
                co_await come(*barrier, numbers);
                co_await sleep(0s);
              },
              [&]() -> Coro<> {
                if (others.empty()) co_return;
                co_await sleep(1s);
                if (barrier->n_waiting() == 2) co_await come(*barrier, numbers);
                for (Task<>& other : others) co_await other;
                require(barrier->n_waiting() == 0, "it counts somebody who is gone");
                std::sort(numbers.begin(), numbers.end());
                require(std::unique(numbers.begin(), numbers.end()) == numbers.end(),
                        "two have the same number");
              },
              [&] {
                barrier.emplace(3);
                numbers.clear();
                others.clear();
              }});
}

struct Line {
  explicit Line(int capacity) : queue(capacity) {}

  Queue<int> queue;
  int put = 0;
  int got = 0;
  int last = -1;
};

Coro<> put_some(Line& line, int count, int late = 0) {
  for (int i = 0; i < late; ++i) co_await sleep(0s);
  for (int i = 0; i < count; ++i) {
    const int item = line.put;
    co_await line.queue.put(item);
    require(static_cast<int>(line.queue.qsize()) <= line.queue.maxsize(), "above its bound");
    ++line.put;
  }
}

Coro<> get_some(Line& line, int count) {
  for (int i = 0; i < count; ++i) {
    const int item = co_await line.queue.get();
    ++line.got;
    line.queue.task_done();
    require(item >= 0, "not an item");
  }
}

Coro<> drain(Line& line) {
  while (auto item = co_await line.queue.next()) {
    ++line.got;
    line.queue.task_done();
  }
}

// The producer is the first of them: takes what is left, once all of its items are put.
Coro<> settle(Line& line, std::vector<Task<>>& tasks) {
  co_await sleep(1s);
  require(line.queue.full() || tasks[0].done(), "a putter sleeps beside room");
  require(line.queue.empty() || tasks[1].done(), "a getter sleeps beside an item");
  tasks.push_back(create_task(drain(line)));
  co_await tasks.front();
  line.queue.shutdown();
  for (Task<>& task : tasks) {
    try {
      co_await task;
    } catch (const QueueShutDown&) {
    }
  }
  co_await line.queue.join();
}

// One producer and two consumers, one of whom is cancelled; then the rest is drained.
// covers: GetWait PutWait NextWait
SYNC_TEST(EverywhereSync, "a Queue loses no item to a cancelled getter [R65][C1][D1]") {
  std::optional<Line> line;
  std::vector<Task<>> others;
  for (const int capacity : {1, 2, 3}) {
    everywhere({[&]() -> Coro<> {
                  others = {create_task(put_some(*line, 5, 2)), create_task(get_some(*line, 1))};
                  co_await get_some(*line, 3);
                },
                [&]() -> Coro<> {
                  if (others.empty()) co_return;
                  co_await settle(*line, others);
                  require(line->put == 5 && line->got == 5, "an item is lost");
                },
                [&] {
                  line.emplace(capacity);
                  others.clear();
                }});
  }
}

SYNC_TEST(EverywhereSync, "a Queue loses no slot to a cancelled putter [R67][C1][D1]") {
  std::optional<Line> line;
  std::vector<Task<>> others;
  everywhere({[&]() -> Coro<> {
                others = {create_task(put_some(*line, 3)), create_task(get_some(*line, 3))};
                co_await put_some(*line, 2);
              },
              [&]() -> Coro<> {
                if (others.empty()) co_return;
                co_await settle(*line, others);
                require(line->put == line->got, "an item is lost, or one too many");
              },
              [&] {
                line.emplace(1);
                others.clear();
              }});
}

}  // namespace
}  // namespace asyncio
