// Refused: this coroutine does not run
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  std::vector<asyncio::Task<int>> tasks;
  asyncio::wait(tasks);
  co_return;
}
