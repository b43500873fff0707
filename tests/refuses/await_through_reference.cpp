// Refused: this type cannot be awaited here
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

// A type whose awaiter is reached through a reference: g++ 12 would run it with a wrong `this`.
struct Alarm {
  asyncio::Sleep& operator co_await() && { return nap; }
  asyncio::Sleep nap = asyncio::sleep(1s);
};

asyncio::Coro<> refused() {
  co_await Alarm();
}
