// Refused: this generator does not run
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::AsyncGenerator<int> count() { co_yield 1; }

asyncio::Coro<> refused() {
  count();
  co_return;
}
