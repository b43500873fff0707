// One loop in the simulated world.
// SPDX-License-Identifier: MIT
#pragma once

#include "core/director.hpp"
#include "io/engine.hpp"

#include <asyncio/task.hpp>

#include <memory>
#include <string>

namespace asyncio::inline v0::detail {

struct Loop;

class Simulation {
 public:
  /// Without a director the order is asyncio's. What is out in the world wakes the loop through
  /// `real`, which several simulations may use, one after the other.
  Simulation(bool debug, Director* director, std::shared_ptr<Engine> real);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  EventLoop& loop() const noexcept { return *loop_; }
  /// Runs until it is done, then ends what it left behind.
  /// Throws:  Deadlock.
  void run(const AnyTask& main);

 private:
  std::unique_ptr<EventLoop> loop_;
};

/// "worker at main.cpp:12", or empty if it has not begun.
std::string place_of(TaskState& task);

}  // namespace asyncio::inline v0::detail
