// Refused: create_task takes a coroutine, or a callable that returns one
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  auto task = asyncio::create_task(std::suspend_always());
  co_return;
}
