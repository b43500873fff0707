// Refused: shield() takes a Task or Future
// Refused: auto task = create_task(...), co_await shield(task)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  co_await asyncio::shield(number());
}
