// Refused: this coroutine does not run
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  asyncio::try_(number);
  co_return;
}
