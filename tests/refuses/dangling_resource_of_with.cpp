// Refused (gcc): g++ 12 destroys a temporary of this aggregate type twice: give it a name
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>
#include <string>

using namespace std::chrono_literals;

struct Door {
  std::string name;
  asyncio::Coro<> aenter() { co_return; }
  asyncio::Coro<> aexit(std::exception_ptr) { co_return; }
};

asyncio::Coro<> refused() {
  co_await asyncio::with(Door{"front"}, []() -> asyncio::Coro<> { co_return; });
}
