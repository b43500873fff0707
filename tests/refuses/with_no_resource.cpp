// Refused: a resource of with() has aenter() and aexit(std::exception_ptr), both awaitable
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  int n = 0;
  co_await asyncio::with(n, []() -> asyncio::Coro<> { co_return; });
}
