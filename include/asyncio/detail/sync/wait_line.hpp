// Tasks in line for a lock, a permit, an event or an item.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/intrusive_list.hpp>
#include <asyncio/detail/core/promise.hpp>
#include <asyncio/detail/core/task_state.hpp>

#include <coroutine>
#include <cstdint>

namespace asyncio::inline v0::detail {

class LineWait;

/// First come, first served. Whoever has been woken counts until its task runs, so that nobody
/// overtakes it meanwhile.
///
///     a LineWait is | in the ring | its task
///     waiting       | waiting_    | waits; a cancellation takes it out of the line
///     woken         | woken_      | is ready; a cancellation is found when it runs
///     out           | none        | runs; or is ready, and the line is gone
class ASYNCIO_API WaitLine {
 public:
  WaitLine() = default;
  WaitLine(const WaitLine&) = delete;
  WaitLine& operator=(const WaitLine&) = delete;
  /// Whoever is in line gets a RuntimeError.
  ~WaitLine() {
    if (!empty()) [[unlikely]] dissolve();
  }

  /// Throws:  RuntimeError if who waited before did so in another loop [R63].
  void check_loop() const;
  bool empty() const noexcept { return waiting_.alone() && woken_.alone(); }
  /// Null if nobody waits.
  LineWait* wake_first() noexcept { return waiting_.alone() ? nullptr : &wake(); }
  void wake_all() noexcept;

 private:
  friend LineWait;

  /// Throws:  RuntimeError if this is not the loop of those who waited before [R63].
  void admit(LineWait& wait);
  LineWait& wake() noexcept;
  void dissolve() noexcept;

  RingNode waiting_;
  RingNode woken_;
  std::uint64_t loop_ = 0;  // the number of the loop that it belongs to; 0: none yet
};

/// A task's stand in a WaitLine.
class ASYNCIO_API LineWait : public Awaiter, public Waiter, public RingNode {
 public:
  explicit LineWait(WaitLine& line) noexcept : line_(&line) {}
  ~LineWait() { unlink(); }

  void await_suspend(std::coroutine_handle<> frame) {
    enter();
    stand(*this, frame);
  }

  bool cancel(CancelRequest& request) noexcept override;
  void leave() noexcept override;

 protected:
  /// Throws:  RuntimeError if the line belongs to another loop [R63].
  void enter() { line_->admit(*this); }
  /// Leaves the line for good, when the task runs again. True if it was cancelled.
  bool leave_line() noexcept {
    const bool cancelled = task->take_cancel();
    unlink();
    return cancelled;
  }
  /// The same.
  /// Throws:  RuntimeError if the line is gone.
  bool leave_cancelled() {
    const bool cancelled = leave_line();
    if (!line_ && !cancelled) [[unlikely]] throw_dissolved();
    return cancelled;
  }
  /// The same, for a wait that has all it wants once it is woken, even of a line that is gone now.
  bool leave_served() {
    const bool cancelled = leave_line();
    if (!woken_ && !cancelled) [[unlikely]] throw_dissolved();
    return cancelled;
  }
  bool dissolved() const noexcept { return !line_; }
  /// True if it was given a turn, and the line is still there to pass it on.
  bool has_turn() const noexcept { return woken_ && line_; }
  bool waits() const noexcept { return !woken_ && !alone(); }
  [[noreturn]] static void throw_dissolved();

 private:
  friend WaitLine;

  WaitLine* line_;  // null once it is gone
  bool woken_ = false;
};

/// What a function that waits returns, since a Wait, once made, does not move.
template <class Wait, class Owner>
class [[nodiscard("asyncio: this does not wait: co_await it")]] Begin {
 public:
  explicit Begin(Owner& owner) noexcept : owner_(owner) {}
  Wait operator co_await() && noexcept { return Wait(owner_); }

 private:
  Owner& owner_;
};

}  // namespace asyncio::inline v0::detail
