// Refused: this type cannot be awaited here: await a Coro, Task, Future or an operation of asyncio
// Refused: wrap a callback in a Future<T>
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  co_await std::suspend_always();
}
