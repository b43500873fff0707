// Refused: this does not wait: co_await it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  auto task = asyncio::create_task(number());
  task.join();
  co_await task;
}
