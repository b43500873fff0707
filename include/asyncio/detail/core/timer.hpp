// What the loop's heap of timers holds on to.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

#include <cstdint>

namespace asyncio::inline v0::detail {

struct LoopBase;
struct TimedCallback;

/// Nanoseconds of the loop's clock. The greatest never comes.
using Ticks = std::int64_t;
inline constexpr Ticks never = 0x7fffffffffffffff;

/// Lives in an awaiter, a Timeout or a TimerHandle; knows its number in the heap, so that leaving
/// is a removal and not a search [R5].
struct TimerNode {
  static constexpr std::uint32_t nowhere = 0xffffffff;

  /// Sleepers are told apart, since they are most timers and have no room for a second pointer.
  /// A postponed one is due later than the heap knows.
  enum class Kind : std::uint32_t { sleeper, call, postponed };
  struct Place {
    std::uint32_t id;
    Kind kind;
  };

  union {
    Place place;
    Ticks delay;  // of a sleeper that has not begun: the same eight bytes
  };

  explicit TimerNode(Kind what) noexcept : place{nowhere, what} {}
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;

  bool armed() const noexcept { return place.id != nowhere; }
};

/// Until when, and its turn among timers of the same deadline [R4].
struct Postponement {
  Ticks when = 0;
  std::uint32_t order = 0;
};

/// A timer that calls back, in the loop's look and not in a turn: it only makes things ready.
struct CallTimer : TimerNode {
  CallTimer() noexcept : TimerNode(Kind::call) {}
  virtual void fire() noexcept = 0;
  /// Where the heap finds it too early.
  virtual Postponement postponement() const noexcept { return {}; }
  /// Asked instead of dynamic_cast, as in Completion.
  virtual TimedCallback* as_callback() noexcept { return nullptr; }

 protected:
  ~CallTimer() = default;
};

ASYNCIO_API Ticks loop_now(const LoopBase& loop) noexcept;
/// May throw std::bad_alloc; the timer is then not armed.
ASYNCIO_API void arm_timer(LoopBase& loop, TimerNode& timer, Ticks when);
ASYNCIO_API void disarm_timer(LoopBase& loop, TimerNode& timer) noexcept;

constexpr Ticks later(Ticks now, Ticks delay) noexcept {
  return delay > never - now ? never : now + delay;
}

}  // namespace asyncio::inline v0::detail
