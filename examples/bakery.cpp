// A baker and two sellers share a shelf for three loaves; at closing time nothing is left on it.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<> bake(asyncio::Queue<int>& shelf) {
  for (int loaf = 1; loaf <= 8; ++loaf) co_await shelf.put(loaf);  // waits while the shelf is full
  shelf.shutdown();  // no more bread today; what lies there is still sold
}

asyncio::Coro<int> sell(asyncio::Queue<int>& shelf, std::chrono::milliseconds per_loaf) {
  int sold = 0;
  while (auto loaf = co_await shelf.next()) {
    co_await asyncio::sleep(per_loaf);
    ++sold;
    shelf.task_done();
  }
  co_return sold;
}

asyncio::Coro<> async_main() {
  asyncio::Queue<int> shelf(3);
  auto [nothing, ada, grace] =
      co_await asyncio::gather(bake(shelf), sell(shelf, 10ms), sell(shelf, 30ms));
  co_await shelf.join();
  std::printf("together they sold %d loaves, and %zu are left\n", ada + grace, shelf.qsize());
  std::printf("%s sold more\n", ada > grace ? "Ada" : "Grace");
}

int main() { asyncio::run(async_main()); }

// Output:
// together they sold 8 loaves, and 0 are left
// Ada sold more
