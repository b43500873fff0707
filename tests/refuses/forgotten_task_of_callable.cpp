// Refused: keep this task and await it, or detach() it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  asyncio::create_task([]() -> asyncio::Coro<> { co_return; });
  co_return;
}
