// Refused: this does not close: co_await it
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::AsyncGenerator<int> count() { co_yield 1; }

asyncio::Coro<> refused() {
  auto numbers = count();
  numbers.aclose();
  co_return;
}
