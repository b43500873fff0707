// Condition: wait under a lock, and never come back without it.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include <asyncio/coro.hpp>
#include <asyncio/exceptions.hpp>

#include "sync/turn.hpp"

namespace asyncio::inline v0 {

/// The wait for the lock: a cancellation does not keep it from a turn that it has.
class Condition::Reacquired : public detail::LineWait {
 public:
  explicit Reacquired(Lock& lock) noexcept : LineWait(lock.line_), lock_(lock) {}
  bool await_ready() const noexcept { return lock_.try_take(); }
  detail::Ending await_resume() {
    if (!task) return {false, true};
    const bool cancelled = leave_cancelled();
    if (has_turn()) lock_.take_turn();
    return {cancelled, has_turn()};
  }

 private:
  Lock& lock_;
};

Coro<void> Condition::wait() {
  if (!lock_.locked()) {
    throw InvalidStateError("Condition::wait: the lock is free; acquire() it first");
  }
  lock_.release();
  detail::Ending notified = co_await detail::Begin<detail::Turn, detail::WaitLine>(line_);
  bool cancelled = notified.cancelled;
  for (;;) {
    const detail::Ending taken = co_await detail::Begin<Reacquired, Lock>(lock_);
    cancelled = cancelled || taken.cancelled;
    if (taken.has_turn) break;
  }
  if (!cancelled) co_return;
  if (notified.has_turn) line_.wake_first();
  detail::raise_cancelled();
}

void Condition::notify(std::size_t count) {
  if (!lock_.locked()) {
    throw InvalidStateError("Condition::notify: the lock is free; acquire() it first");
  }
  while (count > 0 && line_.wake_first()) --count;
}

}  // namespace asyncio::inline v0
