// Refused: wait() takes Tasks: create_task() each coroutine and keep the handles
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  std::vector<asyncio::Coro<int>> coros;
  coros.push_back(number());
  co_await asyncio::wait(std::move(coros));
}
