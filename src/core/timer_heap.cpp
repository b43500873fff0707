// The heap's way up and down.
// SPDX-License-Identifier: MIT
#include "core/timer_heap.hpp"

#include <algorithm>

namespace asyncio::inline v0::detail {

void TimerHeap::insert(TimerNode& timer, Ticks when) {
  if (slots_.size() == slots_.capacity()) grow();
  const Slot slot{when, next_order(), take_id(timer)};
  slots_.emplace_back();  // not a copy of `slot`, which would go through memory twice
  sift_up(slots_.size() - 1, slot);
}

// A node that is due first has a parent that is, too.
std::vector<TimerNode*> TimerHeap::all_first() const {
  std::vector<Slot> found;
  std::vector<std::size_t> to_visit{0};
  while (!to_visit.empty()) {
    const std::size_t at = to_visit.back();
    to_visit.pop_back();
    if (at >= slots_.size() || slots_[at].when != first_deadline()) continue;
    found.push_back(slots_[at]);
    for (std::size_t child = 1; child <= arity; ++child) to_visit.push_back(at * arity + child);
  }
  std::sort(found.begin(), found.end(), before);
  std::vector<TimerNode*> timers;
  for (const Slot& slot : found) timers.push_back(timers_[slot.id]);
  return timers;
}

void TimerHeap::remove(TimerNode& timer) noexcept {
  const std::uint32_t id = timer.place.id;
  const std::size_t index = places_[id];
  timer.place.id = TimerNode::nowhere;
  places_[id] = free_;
  free_ = id;
  const Slot last = slots_.back();
  slots_.pop_back();
  if (index < slots_.size()) place(index, last);
}

void TimerHeap::move(TimerNode& timer, Postponement until) noexcept {
  const std::uint32_t id = timer.place.id;
  place(places_[id], Slot{until.when, until.order, id});
}

void TimerHeap::place(std::size_t index, const Slot& slot) noexcept {
  if (index > 0 && before(slot, slots_[(index - 1) / arity])) sift_up(index, slot);
  else sift_down(index, slot);
}

// All three at once, so that an insertion that has room cannot fail.
void TimerHeap::grow() {
  constexpr std::size_t first = 16;
  const std::size_t room = slots_.empty() ? first : slots_.size() * 2;
  places_.reserve(room);
  timers_.reserve(room);
  slots_.reserve(room);
}

std::uint32_t TimerHeap::take_id(TimerNode& timer) noexcept {
  std::uint32_t id = free_;
  if (id == none) {
    id = static_cast<std::uint32_t>(timers_.size());
    timers_.push_back(&timer);
    places_.push_back(0);
  } else {
    free_ = places_[id];
    timers_[id] = &timer;
  }
  timer.place.id = id;
  return id;
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
