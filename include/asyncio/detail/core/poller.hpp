// The seam between the loop and the world: who sleeps, who wakes, what time it is.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/timer.hpp>

namespace asyncio::inline v0::detail {

struct ReadyQueue;

/// Filled by epoll (src/io), by io_uring later, and by the simulated world of the tests (src/sim).
class Poller {
 public:
  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  virtual ~Poller() = default;

  virtual Ticks now() noexcept = 0;

  /// Puts what has completed into `ready`. Sleeps until then, until `deadline` or until wake(); a
  /// deadline that is past only looks.
  virtual void wait(Ticks deadline, ReadyQueue& ready) = 0;

  /// Ends the wait that is under way, or the next one. From any thread, and from signal handlers.
  virtual void wake() noexcept = 0;

  /// Becomes readable when wait() would not sleep, timers apart; -1 if there is no such thing.
  virtual int descriptor() const noexcept = 0;

  /// True where time jumps: then the loop looks after every turn [R2].
  virtual bool is_virtual() const noexcept { return false; }
};

}  // namespace asyncio::inline v0::detail
