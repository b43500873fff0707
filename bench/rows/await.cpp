// Awaiting a child that completes at once, alone and ten deep.
// SPDX-License-Identifier: MIT
#include "rows.hpp"

namespace rows {
namespace {

[[gnu::noinline]] Coro<int> child(int x) { co_return x + 1; }

[[gnu::noinline]] Coro<int> chain(int depth) {
  if (depth == 0) co_return 1;
  co_return co_await chain(depth - 1) + 1;
}

}  // namespace

Coro<> await_child(long n) {
  Stopwatch watch;
  int x = 0;
  watch.start();
  for (long i = 0; i < n; i++) x = co_await child(x);
  watch.stop();
  measure::keep(x);
  watch.report(double(n));
}

Coro<> await_chain10(long n) {
  Stopwatch watch;
  int x = 0;
  watch.start();
  for (long i = 0; i < n / 10; i++) x += co_await chain(9);
  watch.stop();
  measure::keep(x);
  watch.report(double(n));
}

}  // namespace rows
