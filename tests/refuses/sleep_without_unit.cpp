// Refused: deleted function
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  co_await asyncio::sleep(1);
}
