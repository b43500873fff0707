// Making a task, running it and taking its result; a million of them waiting at once.
// SPDX-License-Identifier: MIT
#include <vector>

#include "rows.hpp"

namespace rows {
namespace {

[[gnu::noinline]] Coro<int> child(int x) { co_return x + 1; }

Coro<> waiter(asyncio::Future<> event) { co_await event; }

}  // namespace

Coro<> spawn(long n) {
  Stopwatch watch;
  int x = 0;
  watch.start();
  for (long i = 0; i < n; i++) x = co_await asyncio::create_task(child(x));
  watch.stop();
  if (x != static_cast<int>(n)) measure::fail("a result was lost");
  watch.report(double(n));
}

Coro<> spawn_named(long n) {
  Stopwatch watch;
  int x = 0;
  watch.start();
  for (long i = 0; i < n; i++) {
    x = co_await asyncio::create_task(child(x), {.name = "a name of its own"});
  }
  watch.stop();
  if (x != static_cast<int>(n)) measure::fail("a result was lost");
  watch.report(double(n));
}

Coro<> million(long n) {
  Stopwatch watch;
  asyncio::Future<> event = asyncio::get_running_loop().create_future<void>();
  double before = measure::resident_bytes();
  watch.start();
  std::vector<asyncio::Task<>> tasks;
  tasks.reserve(static_cast<std::size_t>(n));
  for (long i = 0; i < n; i++) tasks.push_back(asyncio::create_task(waiter(event)));
  co_await asyncio::sleep(0s);  // they run behind us in line, and all of them now wait
  co_await asyncio::sleep(0s);
  double parked = measure::resident_bytes();
  event.set_result();
  for (const auto& task : tasks) co_await task;
  watch.stop();
  watch.report(double(n), (parked - before) / double(n));
}

}  // namespace rows
