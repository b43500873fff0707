// The cases of asyncio_bench: each does n operations, prints its line and ends the process.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/asyncio.hpp>

#include <cstdint>

#include "../measure.hpp"

namespace rows {

using asyncio::Coro;
using measure::Stopwatch;
using namespace std::chrono_literals;

// await.cpp
Coro<> await_child(long n);
Coro<> await_chain10(long n);
// yield.cpp
Coro<> yield_two(long n);
Coro<> yield_thousand(long n);
// spawn.cpp
Coro<> spawn(long n);
Coro<> spawn_named(long n);
Coro<> million(long n);
// sleep.cpp
Coro<> sleeping(long n);
Coro<> sleepall(long n);
Coro<> cancel(long n);
// errors.cpp
Coro<> throw1(long n);
Coro<> throw10(long n);
Coro<> cancel1(long n);
Coro<> cancel10(long n);
Coro<> cancel20(long n);
// sync.cpp
Coro<> lock_free(long n);
Coro<> lock_eight(long n);
Coro<> event_wake(long n);
Coro<> queue_of_128(long n);
Coro<> queue_of_one(long n);
// timers.cpp
Coro<> wait_for_turn(long n);
Coro<> arm100k(long n);
Coro<> arm_at100k(long n);
Coro<> rearm100k(long n);
Coro<> rearm1m(long n);
Coro<> recall100k(long n);
Coro<> recall1m(long n);
// threads.cpp
Coro<> thread_one(long n);
Coro<> thread_cross(long n);
Coro<> thread_many(long n);
Coro<> post(long n);

// The generator of all programs here: the same deadlines for us and for the limit.
inline std::uint64_t random_below(std::uint64_t limit) {
  static std::uint64_t state = 88172645463325252ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % limit;
}

}  // namespace rows
