// Refused (gcc): g++ 12 destroys a temporary lambda that captures by value twice
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  const std::string name = "a text too long for the small string buffer";
  co_await asyncio::task_group([name](asyncio::TaskGroup&) -> asyncio::Coro<> { co_return; });
}
