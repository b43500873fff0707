// Condition: wait under a lock, and never come back without it.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include <asyncio/coro.hpp>
#include <asyncio/exceptions.hpp>

namespace asyncio::inline v0 {

namespace {

// How a wait ended, for wait() to decide what becomes of it.
struct Ending {
  bool cancelled;
  bool has_turn;
};

}  // namespace

/// The wait for a notification.
class Condition::Notified : public detail::LineWait {
 public:
  explicit Notified(Condition& condition) noexcept : LineWait(condition.line_) {}
  bool await_ready() const noexcept { return false; }
  Ending await_resume() {
    const bool cancelled = leave_cancelled();
    return {cancelled, has_turn()};
  }
};

/// The wait for the lock: a cancellation does not keep it from a turn that it has.
class Condition::Reacquired : public detail::LineWait {
 public:
  explicit Reacquired(Lock& lock) noexcept : LineWait(lock.line_), lock_(lock) {}
  bool await_ready() const noexcept { return lock_.try_take(); }
  Ending await_resume() {
    if (!task) return {false, true};
    const bool cancelled = leave_cancelled();
    if (has_turn()) lock_.take_turn();
    return {cancelled, has_turn()};
  }

 private:
  Lock& lock_;
};

namespace {

// What co_await is given: the awaiter itself cannot move.
template <class Wait, class Owner>
struct Begin {
  Owner& owner;
  Wait operator co_await() && noexcept { return Wait(owner); }
};

}  // namespace

Coro<void> Condition::wait() {
  if (!lock_.locked()) {
    throw InvalidStateError("Condition::wait: the lock is free; acquire() it first");
  }
  lock_.release();
  Ending notified = co_await Begin<Notified, Condition>{*this};
  bool cancelled = notified.cancelled;
  for (;;) {
    const Ending taken = co_await Begin<Reacquired, Lock>{lock_};
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
