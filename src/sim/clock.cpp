// When virtual time jumps, stands still, or has nowhere to go.
// SPDX-License-Identifier: MIT
#include "sim/clock.hpp"

#include "core/task_text.hpp"
#include "sim/simulation.hpp"

#include <string>

namespace asyncio::inline v0::detail {
namespace {

// Names the tasks that wait, and where: the one thing a reader of the report wants to know.
std::string describe_waiting(const Loop& loop) {
  std::string text;
  constexpr int most = 10;
  int shown = 0;
  for (RingNode* at = loop.tasks.following; at != &loop.tasks && shown < most;
       at = at->following, ++shown) {
    TaskState& task = task_in_ring(*at);
    const std::string place = place_of(task);
    text += "\n  " + task_name(task) + (place.empty() ? "" : " waits in " + place);
  }
  return text;
}

}  // namespace

void VirtualClock::wait(Ticks deadline, ReadyQueue& ready) {
  if (deadline <= now_) return;
  // A job posts its result before it counts itself home; so if nobody is out, all posts are in.
  if (loop_->gate.out_in_the_world() > 0) {
    real_->wait(never, ready);
    return;
  }
  if (loop_->gate.has_posts()) return;
  if (deadline == never) {
    throw Deadlock("the loop ran dry with the main task still waiting: nothing is ready, no timer "
                   "is armed and nothing is out in the world" +
                   describe_waiting(*loop_));
  }
  now_ = deadline;
}

}  // namespace asyncio::inline v0::detail
