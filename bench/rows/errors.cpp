// Errors and cancellations on their way through awaits, to a handler at the top.
// SPDX-License-Identifier: MIT
#include <stdexcept>
#include <vector>

#include "rows.hpp"

namespace rows {
namespace {

[[gnu::noinline]] Coro<int> fail_below(int depth) {
  if (depth == 0) throw std::runtime_error("failed");
  co_return co_await fail_below(depth - 1) + 1;
}

Coro<> thrown_through(long n, int depth) {
  Stopwatch watch;
  long caught = 0;
  watch.start();
  for (long i = 0; i < n; i++) {
    try {
      caught += co_await fail_below(depth - 1);
    } catch (const std::runtime_error&) {
      caught++;
    }
  }
  watch.stop();
  if (caught != n) measure::fail("an error was lost");
  watch.report(double(n));
}

[[gnu::noinline]] Coro<int> sleep_below(int depth) {
  if (depth == 0) co_await asyncio::sleep(1h);
  else co_return co_await sleep_below(depth - 1) + 1;
  co_return 0;
}

Coro<> catch_above(int depth, long& caught, asyncio::Future<>& all, long wanted) {
  try {
    co_await sleep_below(depth - 1);
  } catch (const asyncio::CancelledError&) {
    if (++caught == wanted) all.set_result();
  }
}

// From cancel() to the handler at the top, and on until the task has ended.
Coro<> cancelled_through(long n, int depth) {
  constexpr long batch = 200;
  Stopwatch watch;
  for (long i = 0; i < n / batch; i++) {
    long caught = 0;
    auto all = asyncio::get_running_loop().create_future();
    std::vector<asyncio::Task<>> tasks;
    for (long k = 0; k < batch; k++) {
      tasks.push_back(asyncio::create_task(catch_above(depth, caught, all, batch)));
    }
    co_await asyncio::sleep(0s);
    watch.start();
    for (auto& task : tasks) task.cancel();
    co_await all;
    watch.stop();
  }
  watch.report(double(n / batch * batch));
}

}  // namespace

Coro<> throw1(long n) { return thrown_through(n, 1); }
Coro<> throw10(long n) { return thrown_through(n, 10); }
Coro<> cancel1(long n) { return cancelled_through(n, 1); }
Coro<> cancel10(long n) { return cancelled_through(n, 10); }
Coro<> cancel20(long n) { return cancelled_through(n, 20); }

}  // namespace rows
