// An order drawn from a seed.
// SPDX-License-Identifier: MIT
#pragma once

#include "core/director.hpp"
#include "sim/draw.hpp"

#include <cstdint>
#include <vector>

namespace asyncio::inline v0::detail {

/// Tasks that are ready together change places, and so do the timers of tasks that are due
/// together; callbacks keep their order, which is promised [R1, R4].
class Shuffle : public Director {
 public:
  explicit Shuffle(std::uint64_t seed) noexcept : draw_(seed) {}

  ReadyNode* arrange(ReadyNode* batch) override;
  void arrange(std::vector<TimerNode*>& due) override;
  void before(const ReadyNode*) noexcept override {}

 protected:
  Draw draw_;
};

}  // namespace asyncio::inline v0::detail
