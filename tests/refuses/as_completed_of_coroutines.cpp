// Refused: as_completed() takes Tasks: create_task() each coroutine and keep the handles
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  std::vector<asyncio::Coro<int>> coros;
  coros.push_back(number());
  auto finished = asyncio::as_completed(coros);
  co_return;
}
