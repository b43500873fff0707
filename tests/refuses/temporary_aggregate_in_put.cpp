// Refused (gcc): co_await queue.emplace(members...)
// Accepted (clang)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <string>

struct Item {
  int number = 0;
  std::string name;
};

asyncio::Coro<> refused(asyncio::Queue<Item>& queue, std::string name) {
  co_await queue.put({1, name});
}
