// Three couriers set out; one has an accident, and the others are called back.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> deliver(std::string name, std::chrono::milliseconds way, bool careful) {
  try {
    co_await asyncio::sleep(way);
    if (!careful) throw std::runtime_error(name + " fell into the river");
    std::printf("%s has delivered\n", name.c_str());
  } catch (const asyncio::CancelledError&) {
    std::printf("%s turns back\n", name.c_str());
    throw;
  }
}

asyncio::Coro<> async_main() {
  try {
    co_await asyncio::task_group([](asyncio::TaskGroup& group) -> asyncio::Coro<> {
      group.create_task(deliver("Ada", 50ms, true));
      group.create_task(deliver("Grace", 100ms, false));
      group.create_task(deliver("Linus", 200ms, true));
      co_return;
    });
  } catch (const asyncio::ExceptionGroup& group) {
    group.handle<std::runtime_error>(
        [](const std::runtime_error& error) { std::printf("error: %s\n", error.what()); });
  }
}

int main() { asyncio::run(async_main()); }

// Output:
// Ada has delivered
// Linus turns back
// error: Grace fell into the river
