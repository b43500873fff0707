// A stranger's program: awaits, gathers, and catches errors that the library throws.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>

using namespace std::chrono_literals;

namespace {

asyncio::Coro<int> answer(int half) {
  co_await asyncio::sleep(1ms);
  co_return 2 * half;
}

// Types of the errors must be the same on both sides of a shared library.
asyncio::Coro<int> caught() {
  int count = 0;
  try {
    co_await asyncio::wait_for(asyncio::sleep(1h), 1ms);
  } catch (const asyncio::TimeoutError&) {
    ++count;
  }
  auto task = asyncio::create_task(asyncio::sleep(1h));
  task.cancel();
  try {
    co_await task;
  } catch (const asyncio::CancelledError&) {
    ++count;
  }
  co_return count;
}

asyncio::Coro<> async_main() {
  auto [first, second] = co_await asyncio::gather(answer(20), answer(1));
  int errors = co_await caught();
  std::printf("answer %d, errors %d\n", first + second, errors);
}

}  // namespace

int main() {
  try {
    asyncio::get_running_loop();
    return 1;
  } catch (const asyncio::RuntimeError&) {
  }
  asyncio::run(async_main());
}
