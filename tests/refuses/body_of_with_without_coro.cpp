// Refused: a body is a callable that returns a coroutine: write [&](...) -> asyncio::Coro<T>
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

class Door {
 public:
  asyncio::Coro<> aenter() { co_return; }
  asyncio::Coro<> aexit(std::exception_ptr) { co_return; }
};

asyncio::Coro<> refused() {
  Door door;
  co_await asyncio::with(door, [](Door&) { return 1; });
}
