// Refused: a body is a callable that returns a coroutine: write [&](...) -> asyncio::Coro<T>
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  co_await asyncio::task_group([](asyncio::TaskGroup&) {});
}
