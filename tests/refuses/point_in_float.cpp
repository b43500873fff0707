// Refused: asyncio: a point in time is too large a number for a float: reckon in double
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

asyncio::Coro<> refused() {
  const std::chrono::duration<float> tenth(0.1f);
  co_await asyncio::sleep_until(asyncio::get_running_loop().now() + tenth);
}
