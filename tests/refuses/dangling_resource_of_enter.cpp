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
  asyncio::AsyncExitStack stack;
  co_await stack.enter(Door{"front"});
  co_await stack.aclose();
}
