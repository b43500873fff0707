// testing::run: a loop whose time is virtual, for tests that neither sleep nor flake.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/uncaught.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/task.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::testing {

/// How testing::run() runs. With a seed, the order of tasks that are ready together is drawn from
/// it, the same for the same seed; without one it is asyncio's.
struct Options {
  std::optional<std::uint64_t> seed = std::nullopt;
  bool debug = detail::debug_by_default();
};
static_assert(std::is_trivially_destructible_v<Options>);

}  // namespace asyncio::inline v0::testing

namespace asyncio::inline v0::detail {

/// The loop of one testing::run().
class ASYNCIO_API SimulatedRun {
 public:
  explicit SimulatedRun(testing::Options options);
  SimulatedRun(const SimulatedRun&) = delete;
  SimulatedRun& operator=(const SimulatedRun&) = delete;
  ~SimulatedRun();

  EventLoop& loop() const noexcept { return *loop_; }
  /// Runs until it is done, then ends what it left behind.
  /// Throws:  Deadlock.
  void run(const AnyTask& main);

 private:
  std::unique_ptr<EventLoop> loop_;
};

}  // namespace asyncio::inline v0::detail

namespace asyncio::inline v0::testing {

/// Runs `main` on a virtual clock: when nothing is ready and no work is out in the world (thread
/// jobs, EventLoop::hold()), time jumps to the next timer.
///
///     TEST(Retry, waits an hour) {
///       asyncio::testing::run(scenario());   // takes no time
///     }
///
/// Throws:  what main throws; Deadlock, at once, if main waits for what can never happen.
template <awaitable A>
detail::TaskValue<A> run(A main, Options options = {}) {
  Task<detail::TaskValue<A>> task;
  {
    detail::SimulatedRun simulated(options);
    task = simulated.loop().create_task(std::move(main));
    simulated.run(task);
  }
  const detail::Rethrowing rethrowing;
  return std::move(task).result();
}

}  // namespace asyncio::inline v0::testing
