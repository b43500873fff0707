// Refused: keep this task and await it, or detach() it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  asyncio::create_task(number());
  co_return;
}
