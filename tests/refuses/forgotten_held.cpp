// Refused (clang): this releases at once what was acquired: keep it in a variable
// Accepted (gcc): it does not look at what a co_await gives
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

asyncio::Coro<> refused(asyncio::Semaphore& semaphore) {
  co_await semaphore.scoped_acquire();
}
