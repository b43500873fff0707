// Refused: this coroutine does not run: co_await it or give it to create_task()
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  number();
  co_return;
}
