// testing::run's loop: the core joined with the simulated world.
// SPDX-License-Identifier: MIT
#include <asyncio/testing.hpp>

#include "sim/clock.hpp"

namespace asyncio::inline v0::detail {

SimulatedRun::SimulatedRun(testing::Options options) {
  if (thread_state.loop) {
    throw RuntimeError("testing::run: a loop runs in this thread already; await the coroutine, or "
                       "give it to create_task()");
  }
  auto clock = std::make_unique<VirtualClock>();
  VirtualClock& world = *clock;
  loop_ = LoopAccess::make(std::move(clock));
  Loop& loop = LoopAccess::loop(*loop_);
  world.belongs_to(loop);
  loop.debug = options.debug;
  if (options.seed) loop.shuffle_with(*options.seed);
}

SimulatedRun::~SimulatedRun() = default;

void SimulatedRun::run(const AnyTask& main) {
  Loop& loop = LoopAccess::loop(*loop_);
  try {
    LoopAccess::run_until(*loop_, HandleAccess::state(main));
    loop.cancel_all_tasks();
  } catch (...) {
    loop_->close();
    throw;
  }
  loop_->close();
}

}  // namespace asyncio::inline v0::detail
