// Refused: system_clock
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  co_await asyncio::timeout_at(std::chrono::system_clock::now(), number);
}
