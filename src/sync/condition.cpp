// Condition: wait under a lock, and never come back without it.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include <asyncio/coro.hpp>
#include <asyncio/exceptions.hpp>

#include "sync/turn.hpp"

namespace asyncio::inline v0 {

/// Tells a wait() that its condition is gone, wherever it stands by then.
struct Condition::Witness : detail::RingNode {
  explicit Witness(Condition& condition) noexcept { condition.witnesses_.append(*this); }
  ~Witness() { unlink(); }

  bool gone = false;
};

Condition::~Condition() {
  while (!witnesses_.alone()) {
    auto& first = static_cast<Witness&>(*witnesses_.following);
    first.unlink();
    first.gone = true;
  }
}

/// The wait for a notification. That the condition is gone is not what it throws.
class Condition::Notified : public detail::LineWait {
 public:
  explicit Notified(detail::WaitLine& line) noexcept : LineWait(line) {}
  bool await_ready() const noexcept { return false; }
  detail::Ending await_resume() noexcept {
    const bool cancelled = leave_line();
    return {cancelled, has_turn()};
  }
  [[noreturn]] static void throw_gone() { throw_dissolved(); }
};

/// The wait for the lock: a cancellation does not keep it from a turn that it has.
class Condition::Reacquired : public detail::LineWait {
 public:
  explicit Reacquired(Lock& lock) noexcept : LineWait(lock.line_), lock_(lock) {}
  struct Taken {
    bool cancelled;
    bool has_turn;
    bool lock_is_gone;
  };

  bool await_ready() const noexcept { return lock_.try_take(); }
  Taken await_resume() noexcept {
    if (!task) return {false, true, false};
    const bool cancelled = leave_line();
    if (has_turn()) lock_.take_turn();
    return {cancelled, has_turn(), dissolved()};
  }

 private:
  Lock& lock_;
};

Coro<void> Condition::wait() {
  if (!lock_.locked()) {
    throw InvalidStateError("Condition::wait: the lock is free; acquire() it first");
  }
  // Found out while the lock is still held: nothing throws between its release and its return.
  line_.check_loop();
  lock_.line_.check_loop();
  Witness witness(*this);
  Lock& lock = lock_;
  const bool lock_is_own = &lock_ == &own_;
  lock.release();
  const detail::Ending notified = co_await detail::Begin<Notified, detail::WaitLine>(line_);
  bool cancelled = notified.cancelled;
  bool lock_is_gone = witness.gone && lock_is_own;
  for (bool held = false; !held && !lock_is_gone;) {
    const Reacquired::Taken taken = co_await detail::Begin<Reacquired, Lock>(lock);
    cancelled = cancelled || taken.cancelled;
    held = taken.has_turn;
    lock_is_gone = taken.lock_is_gone && !held;
  }
  if (cancelled && notified.has_turn && !witness.gone) line_.wake_first();
  if (cancelled) detail::raise_cancelled();
  if (witness.gone || lock_is_gone) Notified::throw_gone();
}

void Condition::notify(std::size_t count) {
  if (!lock_.locked()) {
    throw InvalidStateError("Condition::notify: the lock is free; acquire() it first");
  }
  while (count > 0 && line_.wake_first()) --count;
}

}  // namespace asyncio::inline v0
