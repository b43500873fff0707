// What goes wrong with locks and semaphores.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include <asyncio/exceptions.hpp>

#include <limits>
#include <stdexcept>

namespace asyncio::inline v0 {

void Lock::throw_free() {
  throw InvalidStateError("Lock::release: the lock is free; acquire() it first");
}

Semaphore::Semaphore(std::ptrdiff_t permits)
    : Semaphore(permits, std::numeric_limits<std::ptrdiff_t>::max()) {}

Semaphore::Semaphore(std::ptrdiff_t permits, std::ptrdiff_t most)
    : permits_(permits), most_(most) {
  if (permits < 0) throw std::invalid_argument("Semaphore: the number of permits is negative");
}

void BoundedSemaphore::throw_all_there() {
  throw std::invalid_argument("BoundedSemaphore::release: no permit is taken; acquire() one first");
}

}  // namespace asyncio::inline v0
