// testing::run's loop: the core joined with the simulated world.
// SPDX-License-Identifier: MIT
#include "sim/simulation.hpp"

#include <asyncio/testing.hpp>

#include "sim/clock.hpp"
#include "sim/shuffle.hpp"

#include <string>

namespace asyncio::inline v0::detail {

Simulation::Simulation(bool debug, Director* director, std::shared_ptr<Engine> real) {
  if (running_here()) {
    throw RuntimeError("testing: a loop runs in this thread already; await the coroutine, or give "
                       "it to create_task()");
  }
  auto clock = std::make_unique<VirtualClock>(std::move(real));
  VirtualClock& world = *clock;
  loop_ = LoopAccess::make(std::move(clock));
  Loop& loop = LoopAccess::loop(*loop_);
  world.belongs_to(loop);
  loop.debug = debug;
  loop.director = director;
}

Simulation::~Simulation() = default;

void Simulation::run(const AnyTask& main) {
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

std::string place_of(TaskState& task) {
  const auto stack = HandleAccess::retain<AnyTask>(task).get_stack();
  if (stack.empty()) return {};
  const FrameEntry& innermost = stack.back();
  return innermost.function + " at " + innermost.file + ":" + std::to_string(innermost.line);
}

// ---- testing::run

struct SimulatedRun::State {
  std::unique_ptr<Shuffle> shuffle;
  Simulation simulation;

  explicit State(testing::Options options)
      : shuffle(options.seed ? std::make_unique<Shuffle>(*options.seed) : nullptr),
        simulation(options.debug, shuffle.get(), make_epoll_engine()) {}
};

SimulatedRun::SimulatedRun(testing::Options options) : state_(std::make_unique<State>(options)) {}
SimulatedRun::~SimulatedRun() = default;
EventLoop& SimulatedRun::loop() const noexcept { return state_->simulation.loop(); }
void SimulatedRun::run(const AnyTask& main) { state_->simulation.run(main); }

}  // namespace asyncio::inline v0::detail
