// Who changes places with whom.
// SPDX-License-Identifier: MIT
#include "sim/shuffle.hpp"

#include <utility>

namespace asyncio::inline v0::detail {
namespace {

template <class T>
void shuffle(std::vector<T>& all, Draw& draw) {
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[draw(i)]);
}

bool is_call(const TimerNode* timer) { return timer->place.kind != TimerNode::Kind::sleeper; }

}  // namespace

ReadyNode* Shuffle::arrange(ReadyNode* batch) {
  if (!batch || !batch->next) return batch;
  std::vector<ReadyNode*> nodes;
  std::vector<ReadyNode*> tasks;
  for (ReadyNode* node = batch; node; node = node->next) {
    nodes.push_back(node);
    if (node->kind == ReadyNode::Kind::task) tasks.push_back(node);
  }
  shuffle(tasks, draw_);
  ReadyNode* next = nullptr;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    if ((*node)->kind == ReadyNode::Kind::task) {
      *node = tasks.back();
      tasks.pop_back();
    }
    (*node)->next = std::exchange(next, *node);
  }
  return next;
}

void Shuffle::arrange(std::vector<TimerNode*>& due) {
  std::vector<TimerNode*> calls;
  for (TimerNode* timer : due) {
    if (is_call(timer)) calls.push_back(timer);
  }
  shuffle(due, draw_);
  auto next_call = calls.begin();
  for (TimerNode*& timer : due) {
    if (is_call(timer)) timer = *next_call++;
  }
}

}  // namespace asyncio::inline v0::detail
