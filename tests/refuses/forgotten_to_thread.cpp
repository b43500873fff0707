// Refused: nothing runs yet: co_await it or give it to create_task()
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

void work() {}

asyncio::Coro<> refused() {
  asyncio::to_thread(work);
  co_return;
}
