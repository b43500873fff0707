// Refused: this does not wait: co_await it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

asyncio::Coro<> refused(asyncio::Queue<int>& queue) {
  queue.get();
  co_return;
}
