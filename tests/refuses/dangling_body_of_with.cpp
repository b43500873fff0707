// Refused (gcc): g++ 12 destroys a temporary lambda that captures by value twice
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>
#include <string>

using namespace std::chrono_literals;

class Door {
 public:
  asyncio::Coro<> aenter() { co_return; }
  asyncio::Coro<> aexit(std::exception_ptr) { co_return; }
};

asyncio::Coro<> refused() {
  const std::string name = "a text too long for the small string buffer";
  Door door;
  co_await asyncio::with(door, [name]() -> asyncio::Coro<> { co_return; });
}
