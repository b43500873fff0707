// Who changes places with whom.
// SPDX-License-Identifier: MIT
#include "sim/shuffle.hpp"

#include "core/timer_heap.hpp"

#include <utility>
#include <vector>

namespace asyncio::inline v0::detail {

ReadyNode* Shuffle::arrange(ReadyNode* batch) {
  if (!batch || !batch->next) return batch;
  std::vector<ReadyNode*> nodes;
  std::vector<std::size_t> places;
  for (ReadyNode* node = batch; node; node = node->next) {
    if (node->kind == ReadyNode::Kind::task) places.push_back(nodes.size());
    nodes.push_back(node);
  }
  for (std::size_t i = places.size(); i > 1; --i) {
    std::swap(nodes[places[i - 1]], nodes[places[draw_(i)]]);
  }
  ReadyNode* next = nullptr;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    (*node)->next = std::exchange(next, *node);
  }
  return next;
}

TimerNode& Shuffle::choose(const TimerHeap& timers) {
  const std::vector<TimerNode*> due = timers.all_first();
  TimerNode& chosen = *due[draw_(due.size())];
  if (chosen.place.kind == TimerNode::Kind::sleeper) return chosen;
  for (TimerNode* timer : due) {
    if (timer->place.kind != TimerNode::Kind::sleeper) return *timer;
  }
  return chosen;
}

}  // namespace asyncio::inline v0::detail
