// Giving up the turn: two tasks that alternate, and a thousand.
// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include "rows.hpp"

namespace rows {
namespace {

Coro<> yields(long n) {
  for (long i = 0; i < n; i++) co_await asyncio::sleep(0s);
}

Coro<> yield_among(long tasks, long n) {
  Stopwatch watch;
  std::vector<Coro<>> loops;
  for (long i = 0; i < tasks; i++) loops.push_back(yields(n / tasks));
  watch.start();
  co_await asyncio::gather(std::move(loops));
  watch.stop();
  watch.report(double(n));
}

}  // namespace

Coro<> yield_two(long n) { return yield_among(2, n); }
Coro<> yield_thousand(long n) { return yield_among(1000, n); }

}  // namespace rows
