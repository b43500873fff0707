// Refused: this does not sleep: co_await it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  asyncio::sleep(1s);
  co_return;
}
