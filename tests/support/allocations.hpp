// Counts the allocations of a thread, and makes one of them fail.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/coro.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace asyncio::test {

/// Calls of operator new in this thread, so far.
std::uint64_t allocations() noexcept;

/// Blocks of operator new in the whole process that were not deleted yet.
std::ptrdiff_t blocks_in_use() noexcept;

/// While it lives, the n-th allocation of this thread from now on throws std::bad_alloc.
class FailAllocation {
 public:
  explicit FailAllocation(std::uint64_t n) noexcept;
  FailAllocation(const FailAllocation&) = delete;
  FailAllocation& operator=(const FailAllocation&) = delete;
  ~FailAllocation();

  bool happened() const noexcept;
};

/// What came of an operation whose 1st, 2nd, 3rd ... allocation was made to fail.
struct Refusals {
  int bad_alloc = 0;   // how often it came out as std::bad_alloc
  int survived = 0;    // how often the operation managed without
};

/// Calls `attempt()` until none of its allocations is left to fail.
template <class F>
Refusals fail_each_allocation(F attempt) {
  Refusals refusals;
  for (std::uint64_t n = 1;; ++n) {
    const FailAllocation fail(n);
    try {
      attempt();
      if (!fail.happened()) return refusals;
      ++refusals.survived;
    } catch (const std::bad_alloc&) {
      ++refusals.bad_alloc;
    }
  }
}

/// The same for `co_await attempt()`.
template <class F>
Coro<Refusals> await_with_each_allocation_failing(F attempt) {
  Refusals refusals;
  for (std::uint64_t n = 1;; ++n) {
    const FailAllocation fail(n);
    try {
      co_await attempt();
      if (!fail.happened()) co_return refusals;
      ++refusals.survived;
    } catch (const std::bad_alloc&) {
      ++refusals.bad_alloc;
    }
  }
}

}  // namespace asyncio::test
