// Refused: system_clock
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  co_await asyncio::sleep_until(std::chrono::system_clock::now());
}
