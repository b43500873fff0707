// Refused: a Task's error is what its coroutine throws
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>
#include <stdexcept>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  auto task = asyncio::create_task(number());
  task.set_exception(std::runtime_error("no"));
  co_await task;
}
