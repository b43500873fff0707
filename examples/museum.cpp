// At most two visitors at a time in a small room: a limit on how much runs at once.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

struct Room {
  asyncio::Semaphore places{2};
  int inside = 0;
};

asyncio::Coro<> visit(Room& room, std::string name, std::chrono::milliseconds stay) {
  auto place = co_await room.places.scoped_acquire();  // given back at the end of the scope
  ++room.inside;
  std::printf("%s enters, %d inside\n", name.c_str(), room.inside);
  co_await asyncio::sleep(stay);
  --room.inside;
}

asyncio::Coro<> async_main() {
  Room room;
  co_await asyncio::gather(visit(room, "Ada", 20ms), visit(room, "Grace", 30ms),
                           visit(room, "Linus", 20ms), visit(room, "Barbara", 20ms));
}

int main() { asyncio::run(async_main()); }

// Output:
// Ada enters, 1 inside
// Grace enters, 2 inside
// Linus enters, 2 inside
// Barbara enters, 2 inside
