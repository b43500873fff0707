// Refused (gcc): g++ 12 destroys a temporary aggregate or lambda twice
// Refused (gcc): co_await to_thread(f, item)
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>
#include <string>

struct Item {
  int number;
  std::string name;
};

void print(const Item&) {}

asyncio::Coro<> refused() {
  co_await asyncio::to_thread(print, Item{1, "a text too long for the small string buffer"});
}
