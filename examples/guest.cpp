// A loop as the guest of a program that sleeps in poll(2), as Qt, GLib and many servers do.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

using namespace std::chrono_literals;

asyncio::Coro<> visit() {
  std::puts("guest: good evening");
  co_await asyncio::sleep(20ms);
  const int answer = co_await asyncio::to_thread([] { return 42; });
  std::printf("guest: my thread says %d\n", answer);
}

int main() {
  const auto loop = asyncio::new_event_loop();
  const auto task = loop->create_task(visit());
  while (!task.done()) {
    int patience = -1;  // how long the host may sleep, in milliseconds
    if (const auto due = loop->next_deadline()) {
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*due - loop->now());
      patience = std::max(0, static_cast<int>(wait.count()));
    }
    pollfd guest{loop->fileno(), POLLIN, 0};
    ::poll(&guest, 1, patience);
    loop->run_ready();
  }
  std::puts("host: good night");
}

// Output:
// guest: good evening
// guest: my thread says 42
// host: good night
