// A patient caller and an impatient one ask the same slow service.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<int> slow_answer() {
  co_await asyncio::sleep(200ms);
  co_return 42;
}

asyncio::Coro<> async_main() {
  const int answer = co_await asyncio::wait_for(slow_answer(), 5s);
  std::printf("patient: %d\n", answer);
  try {
    co_await asyncio::wait_for(slow_answer(), 50ms);
  } catch (const asyncio::TimeoutError&) {
    std::puts("impatient: timed out");
  }
  if (!co_await asyncio::move_on_after(50ms, slow_answer)) std::puts("easy-going: moved on");
}

int main() { asyncio::run(async_main()); }

// Output:
// patient: 42
// impatient: timed out
// easy-going: moved on
