// Refused: a coroutine is awaited once and used up: write co_await std::move(c)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<int> number() { co_return 1; }

asyncio::Coro<> refused() {
  auto c = number();
  co_await c;
}
