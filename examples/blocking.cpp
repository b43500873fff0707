// A function that blocks runs in a thread, while the loop goes on ticking.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

using namespace std::chrono_literals;

std::string read_slowly(const std::string& name) {
  std::this_thread::sleep_for(1s);  // stands for code that cannot be awaited
  return "what " + name + " says";
}

asyncio::Coro<> tick() {
  for (int i = 1; i <= 3; ++i) {
    std::printf("tick %d\n", i);
    co_await asyncio::sleep(300ms);
  }
}

asyncio::Coro<> async_main() {
  auto [text, ticks] =
      co_await asyncio::gather(asyncio::to_thread(read_slowly, "a file"), tick());
  std::printf("read: %s\n", text.c_str());
}

int main() { asyncio::run(async_main()); }

// Output:
// tick 1
// tick 2
// tick 3
// read: what a file says
