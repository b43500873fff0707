// The simulated world's time, and the real world's for as long as something is out in it.
// SPDX-License-Identifier: MIT
#pragma once

#include "core/loop.hpp"
#include "io/engine.hpp"

#include <memory>
#include <utility>

namespace asyncio::inline v0::detail {

/// A Poller whose clock jumps to the next timer instead of sleeping.
class VirtualClock final : public Poller {
 public:
  explicit VirtualClock(std::shared_ptr<Engine> real) noexcept : real_(std::move(real)) {}

  /// To be told before the first wait.
  void belongs_to(Loop& loop) noexcept { loop_ = &loop; }

  Ticks now() noexcept override { return now_; }
  void wait(Ticks deadline, ReadyQueue& ready) override;
  void wake() noexcept override { real_->wake(); }
  int descriptor() const noexcept override { return real_->descriptor(); }
  bool is_virtual() const noexcept override { return true; }

 private:
  // A round figure that is neither 0, which hides faults, nor near the end.
  Ticks now_ = 1'000'000'000'000;
  std::shared_ptr<Engine> real_;
  Loop* loop_ = nullptr;
};

}  // namespace asyncio::inline v0::detail
