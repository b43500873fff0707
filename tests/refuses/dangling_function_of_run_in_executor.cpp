// Refused (gcc): g++ 12 destroys a temporary lambda that captures by value twice
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>
#include <string>

asyncio::Coro<> refused() {
  const std::string name = "a text too long for the small string buffer";
  co_await asyncio::get_running_loop().run_in_executor(nullptr, [name] {});
}
