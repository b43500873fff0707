// When the next timer is due: a 4-ary heap that knows each timer's place.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/timer.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace asyncio::inline v0::detail {

/// Four children to a node halve the depth of a binary heap, and their deadlines share a cache
/// line: re-arming at 100,000 costs 115 ns against 138, expiring 225 against 220, a std::multimap
/// 964 and 1226 (docs/decisions/0007).
///
/// A timer's place stands in a table of its own, by its number, and not in the timer: on the way up
/// or down the heap touches only its own arrays, never the frames that the timers lie in.
class TimerHeap {
 public:
  bool empty() const noexcept { return slots_.empty(); }
  std::size_t size() const noexcept { return slots_.size(); }
  Ticks first_deadline() const noexcept { return slots_.empty() ? never : slots_[0].when; }
  TimerNode& first() const noexcept { return *timers_[slots_[0].id]; }
  /// All that are due when the first is, in the order of registration.
  std::vector<TimerNode*> all_first() const;

  /// May throw std::bad_alloc; nothing has changed then.
  void insert(TimerNode& timer, Ticks when);
  /// As if removed and inserted again when the order was drawn.
  void move(TimerNode& timer, Postponement until) noexcept;
  std::uint32_t next_order() noexcept { return ++registered_; }
  void remove(TimerNode& timer) noexcept;

 private:
  struct Slot {
    Ticks when;
    std::uint32_t order;  // among equal deadlines [R4]; compared as a difference, since it wraps
    std::uint32_t id;
  };
  static constexpr std::size_t arity = 4;
  static constexpr std::uint32_t none = TimerNode::nowhere;

  static bool before(const Slot& a, const Slot& b) noexcept {
    return a.when != b.when ? a.when < b.when
                            : static_cast<std::int32_t>(a.order - b.order) < 0;
  }
  void put(std::size_t index, const Slot& slot) noexcept {
    slots_[index] = slot;
    places_[slot.id] = static_cast<std::uint32_t>(index);
  }
  void grow();
  ASYNCIO_INLINE std::uint32_t take_id(TimerNode& timer) noexcept;
  ASYNCIO_INLINE void place(std::size_t index, const Slot& slot) noexcept;
  ASYNCIO_INLINE void sift_up(std::size_t index, Slot slot) noexcept;
  ASYNCIO_INLINE void sift_down(std::size_t index, Slot slot) noexcept;

  std::vector<Slot> slots_;
  std::vector<std::uint32_t>
      places_;  // by id: the index in slots_; of a free id: the next free one
  std::vector<TimerNode*> timers_;     // by id
  std::uint32_t free_ = none;
  std::uint32_t registered_ = 0;
};

}  // namespace asyncio::inline v0::detail
