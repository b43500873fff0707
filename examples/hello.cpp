// Says hello, waits without blocking anyone, and says the rest.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<> async_main() {
  std::puts("Hello ...");
  co_await asyncio::sleep(1s);
  std::puts("... World!");
}

int main() { asyncio::run(async_main()); }

// Output:
// Hello ...
// ... World!
