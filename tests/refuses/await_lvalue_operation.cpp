// Refused: an operation is awaited once and used up: write co_await std::move(operation)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  auto nap = asyncio::sleep(1s);
  co_await nap;
}
