// When the next timer is due: a 4-ary heap that knows each timer's place.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/timer.hpp>

#include <cstddef>
#include <vector>

namespace asyncio::inline v0::detail {

/// Four children to a node halve the depth of a binary heap, and their deadlines share a cache
/// line: re-arming at 100,000 costs 115 ns against 138, expiring 225 against 220, a std::multimap
/// 964 and 1226 (docs/decisions/0007). Equal deadlines keep the order of registration [R4].
class TimerHeap {
 public:
  bool empty() const noexcept { return slots_.empty(); }
  std::size_t size() const noexcept { return slots_.size(); }
  Ticks first_deadline() const noexcept { return slots_.empty() ? never : slots_[0].when; }
  TimerNode& first() const noexcept { return *slots_[0].timer; }
  Ticks deadline(const TimerNode& timer) const noexcept { return slots_[timer.index].when; }

  void insert(TimerNode& timer, Ticks when);
  void remove(TimerNode& timer) noexcept;

 private:
  struct Slot {
    Ticks when;
    TimerNode* timer;
  };
  static constexpr std::size_t arity = 4;

  static bool before(const Slot& a, const Slot& b) noexcept {
    return a.when != b.when ? a.when < b.when : a.timer->order < b.timer->order;
  }
  void put(std::size_t index, Slot slot) noexcept {
    slots_[index] = slot;
    slot.timer->index = static_cast<std::uint32_t>(index);
  }
  void sift_up(std::size_t index, Slot slot) noexcept;
  void sift_down(std::size_t index, Slot slot) noexcept;

  std::vector<Slot> slots_;
  std::uint64_t registered_ = 0;
};

}  // namespace asyncio::inline v0::detail
