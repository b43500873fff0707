// Refused: asyncio: a generator copies the variable that it yields
// Refused: write co_yield std::move(x)
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <memory>

asyncio::AsyncGenerator<std::unique_ptr<int>> refused() {
  auto item = std::make_unique<int>(1);
  co_yield item;
}
