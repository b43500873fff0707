// A worker that fails is started again, each time after a longer pause, until it succeeds.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <stdexcept>

using namespace std::chrono_literals;

asyncio::Coro<> work(int attempt) {
  co_await asyncio::sleep(1ms);
  if (attempt < 3) throw std::runtime_error("the machine has stopped");
  std::printf("attempt %d: done\n", attempt);
}

asyncio::Coro<> supervise() {
  auto pause = 10ms;
  for (int attempt = 1;; ++attempt, pause *= 2) {
    auto end = co_await asyncio::create_task(work(attempt)).join();  // its end, whatever it is
    if (end.has_value()) co_return;
    std::printf("attempt %d failed, again in %d ms\n", attempt, static_cast<int>(pause.count()));
    co_await asyncio::sleep(pause);
  }
}

int main() { asyncio::run(supervise()); }

// Output:
// attempt 1 failed, again in 10 ms
// attempt 2 failed, again in 20 ms
// attempt 3: done
