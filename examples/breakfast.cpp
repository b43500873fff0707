// Coffee and toast take two seconds together, since both are made at once.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<std::string> make_coffee() {
  std::puts("Coffee: start");
  co_await asyncio::sleep(2s);
  std::puts("Coffee: done");
  co_return "a cup of coffee";
}

asyncio::Coro<std::string> make_toast() {
  std::puts("Toast: start");
  co_await asyncio::sleep(1s);
  std::puts("Toast: done");
  co_return "two slices of toast";
}

asyncio::Coro<> async_main() {
  const auto start = std::chrono::steady_clock::now();
  auto [coffee, toast] = co_await asyncio::gather(make_coffee(), make_toast());
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  std::printf("Breakfast is ready: %s and %s\n", coffee.c_str(), toast.c_str());
  std::printf("Finished in %.2f seconds\n", spent.count());
}

int main() { asyncio::run(async_main()); }

// Output:
// Coffee: start
// Toast: start
// Toast: done
// Coffee: done
// Breakfast is ready: a cup of coffee and two slices of toast
// Finished in 2.00 seconds
