// Refused: this does not acquire anything: co_await it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

asyncio::Coro<> refused(asyncio::Lock& lock) {
  lock.acquire();
  co_return;
}
