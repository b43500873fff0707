// Refused (gcc): g++ 12 destroys a temporary lambda that captures by value twice
// Refused (gcc): co_await to_thread(work)
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>
#include <string>

asyncio::Coro<> refused() {
  const std::string name = "a text too long for the small string buffer";
  co_await asyncio::to_thread([name] {});
}
