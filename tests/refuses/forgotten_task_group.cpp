// Refused: this coroutine does not run
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  asyncio::task_group([](asyncio::TaskGroup&) -> asyncio::Coro<> { co_return; });
  co_return;
}
