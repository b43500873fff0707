// A worker that is told to stop puts its tools away first, which takes time itself.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<> work() {
  for (int piece = 1;; ++piece) {
    std::printf("piece %d\n", piece);
    co_await asyncio::sleep(100ms);
  }
}

asyncio::Coro<> put_tools_away() {
  std::puts("putting the tools away ...");
  co_await asyncio::sleep(50ms);
  std::puts("... done");
}

asyncio::Coro<> worker() { co_await asyncio::finally(work, put_tools_away); }

asyncio::Coro<> async_main() {
  auto task = asyncio::create_task(worker());
  co_await asyncio::sleep(250ms);
  task.cancel("closing time");
  try {
    co_await task;
  } catch (const asyncio::CancelledError& cancelled) {
    std::printf("cancelled: %s\n", std::string(cancelled.message()).c_str());
  }
}

int main() { asyncio::run(async_main()); }

// Output:
// piece 1
// piece 2
// piece 3
// putting the tools away ...
// ... done
// cancelled: closing time
