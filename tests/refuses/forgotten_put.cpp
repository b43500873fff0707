// Refused: this does not put anything: co_await it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

asyncio::Coro<> refused(asyncio::Queue<int>& queue) {
  queue.put(1);
  co_return;
}
