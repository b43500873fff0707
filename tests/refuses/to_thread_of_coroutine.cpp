// Refused: to_thread takes a plain function; a coroutine blocks nothing: co_await it
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  co_await asyncio::to_thread(number);
}
