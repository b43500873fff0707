// What the children of the groups and gathers under test do.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/task_group.hpp>
#include <asyncio/timeout.hpp>

#include "support/async_test.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

namespace asyncio::test {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

inline Coro<> fail(std::string what, nanoseconds after = 1s) {
  co_await sleep(after);
  throw std::runtime_error(what);
}
inline Coro<> note(Events& events, std::string name, nanoseconds after = 0s) {
  co_await sleep(after);
  events.push_back(name);
}
// Notes how it ends; cancelled, it takes a second for that.
inline Coro<> work(Events& events, std::string name, nanoseconds time = 9s) {
  bool cancelled = false;
  try {
    co_await sleep(time);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) {
    co_await sleep(1s);
    events.push_back(name + " C");
    throw CancelledError();
  }
  events.push_back(name);
}
inline std::string cancelling() { return std::to_string(current_task()->cancelling()); }
inline double seconds() { return get_running_loop().time(); }

}  // namespace asyncio::test
