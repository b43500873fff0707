// Refused: system_clock
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

asyncio::Coro<> refused() {
  asyncio::get_running_loop().call_at(std::chrono::system_clock::now(), [] {});
  co_return;
}
