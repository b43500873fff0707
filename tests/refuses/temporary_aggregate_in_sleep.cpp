// Refused (gcc): give it a name and pass that, which copies it
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <string>

using namespace std::chrono_literals;

struct Item {
  int number = 0;
  std::string name;
};

asyncio::Coro<> refused(std::string name) {
  static_cast<void>(co_await asyncio::sleep(1s, Item{1, name}));
}
