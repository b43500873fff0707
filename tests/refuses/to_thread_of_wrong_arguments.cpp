// Refused: the function cannot be called with these arguments in a thread
// Refused: std::ref(x)
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

void change(int& number) { ++number; }

asyncio::Coro<> refused() {
  int number = 1;
  co_await asyncio::to_thread(change, number);
}
