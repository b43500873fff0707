// A world whose time the test turns by hand, and which counts how often the loop looks at it.
// SPDX-License-Identifier: MIT
#pragma once

#include "core/loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace asyncio::test {

struct FakeWorld final : detail::Poller {
  detail::Ticks time = 1'000'000'000;
  int wakes = 0;
  std::vector<std::uint64_t> looks;       // the loop's turn at each look
  std::vector<detail::Ticks> slept_until;
  EventLoop* loop = nullptr;
  std::function<void()> while_asleep;  // called in the next sleep

  detail::Ticks now() noexcept override { return time; }
  void wait(detail::Ticks deadline, detail::ReadyQueue&) override {
    looks.push_back(loop->metrics().turns);
    if (deadline <= time) return;
    slept_until.push_back(deadline);
    if (while_asleep) std::exchange(while_asleep, {})();
    time = deadline;
  }
  void wake() noexcept override { ++wakes; }
  int descriptor() const noexcept override { return -1; }
};

/// A loop in a FakeWorld, which lives as long as the loop.
struct FakeLoop {
  std::unique_ptr<EventLoop> loop;
  FakeWorld* world;

  FakeLoop() {
    auto made = std::make_unique<FakeWorld>();
    world = made.get();
    loop = detail::LoopAccess::make(std::move(made));
    world->loop = loop.get();
  }
};

}  // namespace asyncio::test
