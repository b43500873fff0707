// Refused: wait() takes Tasks
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  std::vector<asyncio::Future<int>> futures;
  co_await asyncio::wait(futures);
}
