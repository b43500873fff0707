// Refused: this coroutine does not run
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  asyncio::sleep_until(asyncio::get_running_loop().now());
  co_return;
}
