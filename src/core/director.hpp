// What a test decides about a loop: the order of what may come in any order.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/task_state.hpp>
#include <asyncio/detail/core/timer.hpp>

#include <vector>

namespace asyncio::inline v0::detail {

struct Director {
  Director() = default;
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;
  virtual ~Director() = default;

  /// The next batch, in the order to run it in.
  virtual ReadyNode* arrange(ReadyNode* batch) { return batch; }
  /// Timers that are due at the same moment, in the order of registration.
  virtual void arrange(std::vector<TimerNode*>&) {}
  /// Before each node and, with null, after each batch, before the loop looks at the world.
  virtual void before(const ReadyNode* next) noexcept = 0;
};

}  // namespace asyncio::inline v0::detail
