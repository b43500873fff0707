// The heap's way up and down.
// SPDX-License-Identifier: MIT
#include "core/timer_heap.hpp"

namespace asyncio::inline v0::detail {

void TimerHeap::insert(TimerNode& timer, Ticks when) {
  slots_.push_back({when, &timer});  // may throw; nothing has changed then
  timer.order = ++registered_;
  sift_up(slots_.size() - 1, slots_.back());
}

void TimerHeap::remove(TimerNode& timer) noexcept {
  const std::size_t index = timer.index;
  timer.index = TimerNode::nowhere;
  const Slot last = slots_.back();
  slots_.pop_back();
  if (index == slots_.size()) return;
  if (index > 0 && before(last, slots_[(index - 1) / arity])) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

void TimerHeap::sift_up(std::size_t index, Slot slot) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / arity;
    if (!before(slot, slots_[parent])) break;
    put(index, slots_[parent]);
    index = parent;
  }
  put(index, slot);
}

void TimerHeap::sift_down(std::size_t index, Slot slot) noexcept {
  const std::size_t count = slots_.size();
  for (;;) {
    const std::size_t first = index * arity + 1;
    if (first >= count) break;
    const std::size_t end = first + arity < count ? first + arity : count;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (before(slots_[child], slots_[least])) least = child;
    }
    if (!before(slots_[least], slot)) break;
    put(index, slots_[least]);
    index = least;
  }
  put(index, slot);
}

}  // namespace asyncio::inline v0::detail
