// A plugin that runs a coroutine; opened at run time, it needs room for our thread-local data.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

namespace {

asyncio::Coro<int> answer() {
  co_await asyncio::sleep(std::chrono::milliseconds(1));
  co_return 42;
}

}  // namespace

extern "C" int plugin_answer() { return asyncio::run(answer()); }
