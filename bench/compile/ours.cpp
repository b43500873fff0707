// Hello, a sleep and a gather: what a first program costs to compile.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>

using namespace std::chrono_literals;

asyncio::Coro<int> hello(int x) {
  std::printf("hello\n");
  co_await asyncio::sleep(1ms);
  co_return x;
}

asyncio::Coro<> async_main() {
  auto [a, b] = co_await asyncio::gather(hello(1), hello(2));
  std::printf("%d\n", a + b);
}

int main() { asyncio::run(async_main()); }
