// A program without type information: timers, callbacks, errors and threads work all the same.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdlib>
#include <stdexcept>

using namespace std::chrono_literals;

asyncio::Coro<int> async_main() {
  int right = 0;
  asyncio::EventLoop& loop = asyncio::get_running_loop();
  const auto future = loop.create_future<int>();
  const auto id = future.add_done_callback([](const auto&) { std::abort(); });
  right += future.remove_done_callback(id) == 1;
  loop.call_later(1h, [] { std::abort(); });  // dropped when the loop closes
  try {
    co_await asyncio::to_thread([] { throw std::logic_error("from a thread"); });
  } catch (const std::exception&) {
    ++right;
  }
  const auto task = asyncio::create_task(asyncio::sleep(1h));
  task.cancel();
  const auto end = co_await task.join();
  right += end.cancelled();
  co_return right;
}

int main() { return asyncio::run(async_main()) == 3 ? 0 : 1; }
