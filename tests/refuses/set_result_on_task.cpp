// Refused: a Task's result is what its coroutine returns
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  auto task = asyncio::create_task(number());
  task.set_result(2);
  co_await task;
}
