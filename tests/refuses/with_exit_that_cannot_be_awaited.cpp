// Refused: a resource of with() has aenter() and aexit(std::exception_ptr), both awaitable
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

struct Door {
  asyncio::Coro<> aenter() { co_return; }
  void aexit(std::exception_ptr) {}
};

asyncio::Coro<> refused() {
  Door door;
  co_await asyncio::with(door, []() -> asyncio::Coro<> { co_return; });
}
