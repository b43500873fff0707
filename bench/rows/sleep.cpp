// Tasks asleep: what one weighs, a hundred thousand of them gathered, and cancelled.
// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include "rows.hpp"

namespace rows {
namespace {

Coro<> nap(std::chrono::nanoseconds time) { co_await asyncio::sleep(time); }

std::vector<asyncio::Task<>> put_to_sleep(long n) {
  std::vector<asyncio::Task<>> tasks;
  tasks.reserve(static_cast<std::size_t>(n));
  for (long i = 0; i < n; i++) tasks.push_back(asyncio::create_task(nap(1h)));
  return tasks;
}

}  // namespace

Coro<> sleeping(long n) {
  Stopwatch watch;
  double before = measure::resident_bytes();
  watch.start();
  auto tasks = put_to_sleep(n);
  co_await asyncio::sleep(0s);
  watch.stop();
  watch.report(double(n), (measure::resident_bytes() - before) / double(n));
}

Coro<> sleepall(long n) {
  Stopwatch watch;
  double before = measure::resident_bytes();
  watch.start();
  std::vector<Coro<>> naps;
  naps.reserve(static_cast<std::size_t>(n));
  for (long i = 0; i < n; i++) naps.push_back(nap(10ms));
  co_await asyncio::gather(std::move(naps));
  watch.stop();
  // Looked at afterwards, so that looking takes no part in the time; hence the peak.
  watch.report(1, (measure::peak_resident_bytes() - before) / double(n));
}

Coro<> cancel(long n) {
  Stopwatch watch;
  auto tasks = put_to_sleep(n);
  co_await asyncio::sleep(100ms);
  watch.start();
  for (const auto& task : tasks) task.cancel();
  bool all = true;
  for (const auto& task : tasks) {
    auto outcome = co_await task.join();
    all = all && outcome.cancelled();
  }
  watch.stop();
  if (!all) measure::fail("a task was not cancelled");
  watch.report(double(n));
}

}  // namespace rows
