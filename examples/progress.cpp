// A progress line that keeps moving while threads compute.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <stop_token>

using namespace std::chrono_literals;

// No co_await in here: it would hold up the loop, so it runs in a thread.
long count_primes(std::stop_token stop, long from, long to) {
  long primes = 0;
  for (long n = from; n < to && !stop.stop_requested(); ++n) {
    bool prime = n > 1;
    for (long i = 2; i * i <= n && prime; ++i) prime = n % i != 0;
    primes += prime;
  }
  return primes;
}

asyncio::Coro<> show_progress(int& dots) {
  for (;; ++dots) co_await asyncio::sleep(1ms);  // a real one would print
}

asyncio::Coro<> async_main() {
  int dots = 0;
  auto progress = asyncio::create_task(show_progress(dots));
  auto [low, high] = co_await asyncio::gather(asyncio::to_thread(count_primes, 0L, 150'000L),
                                              asyncio::to_thread(count_primes, 150'000L, 300'000L));
  progress.cancel();
  std::printf("%ld primes below 300000\n", low + high);
  std::printf("the line %s meanwhile\n", dots > 1 ? "moved" : "stood still");
}

int main() { asyncio::run(async_main()); }

// Output:
// 25997 primes below 300000
// the line moved meanwhile
