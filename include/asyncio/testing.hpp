// testing: virtual time, every order, every cancellation; tests that neither sleep nor flake.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/unique_function.hpp>
#include <asyncio/detail/core/uncaught.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/task.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::testing {

/// How testing::run() runs. With a seed, the order of tasks that are ready together, or whose time
/// comes together, is drawn from it, the same for the same seed; without one it is asyncio's.
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

  EventLoop& loop() const noexcept;
  /// Runs until it is done, then ends what it left behind.
  /// Throws:  Deadlock.
  void run(const AnyTask& main);

 private:
  struct State;
  std::unique_ptr<State> state_;
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

namespace asyncio::inline v0::testing {

/// What explore() tries.
struct ExploreOptions {
  std::uint64_t seeds = 1000;  // 1, 2, 3 ...
  /// Also cancels the scenario, at a moment drawn from the seed; it may then end as cancelled.
  bool cancel = false;
  /// Asked after each run: true if a check has failed that does not throw. With GoogleTest,
  /// `&testing::Test::HasFailure`.
  bool (*failed)() = nullptr;
};
static_assert(std::is_trivially_destructible_v<ExploreOptions>);

/// Where and how cancel_everywhere() cancels.
struct Cancellation {
  enum class Way : unsigned char {
    at_once,            // before anything else happens
    before_completion,  // just before what it waits for happens
    after_completion,   // just after, and before it goes on
    twice,              // twice at once, and once more if it then waits again
    by_timeout,         // by a timeout() around it; not before it begins
    by_group,           // by the failure of its sibling in a task_group(); not before it begins
  };

  std::size_t point = 0;  // in its first wait, its second ...; 0: before it begins
  Way way = Way::at_once;

  /// "in wait 2, twice".
  ASYNCIO_API std::string text() const;
};

}  // namespace asyncio::inline v0::testing

namespace asyncio::inline v0::detail {

using Scenario = UniqueFunction<Coro<void>()>;
using Check = UniqueFunction<Coro<void>(const testing::Cancellation&)>;

ASYNCIO_API void explore(const Scenario& make, testing::ExploreOptions options);
ASYNCIO_API std::size_t cancel_everywhere(const Scenario& make, const Check& check);

template <class A>
Coro<void> run_scenario(A scenario) {
  static_cast<void>(co_await as_coro(std::move(scenario)));
}

template <class Make>
Scenario scenario_of(Make& make) {
  static_assert(awaitable<std::invoke_result_t<Make&>>,
                "asyncio: the first argument makes a scenario: a callable without parameters that "
                "returns a Coro");
  return [&make] { return run_scenario(make()); };
}

[[noreturn]] ASYNCIO_API void throw_check_failed();

/// Awaits what is awaitable, and takes false for a failure.
template <class Verdict>
Coro<void> run_check(Verdict verdict) {
  using Result = std::invoke_result_t<Verdict&>;
  if constexpr (awaitable<Result>) {
    if constexpr (std::is_constructible_v<bool, AwaitResult<Result>>) {
      const bool passed(co_await as_coro(verdict()));
      if (!passed) throw_check_failed();
    } else {
      static_cast<void>(co_await as_coro(verdict()));
    }
  } else if constexpr (std::is_void_v<Result>) {
    verdict();
  } else if (!verdict()) {
    throw_check_failed();
  }
  co_return;
}

}  // namespace asyncio::inline v0::detail

namespace asyncio::inline v0::testing {

/// Runs a scenario once for each seed, as testing::run() does with it. `make()` makes the scenario
/// anew each time.
///
///     asyncio::testing::explore([] { return scenario(); }, {.seeds = 100'000});
///
/// The first that fails is reported on stderr with its seed and a command to replay it: with
/// ASYNCIO_SEED in the environment, only that seed runs, and each step is printed.
///
/// Throws:  what the scenario throws, Deadlock too; RuntimeError if `failed` says so.
template <class Make>
void explore(Make make, ExploreOptions options = {}) {
  detail::explore(detail::scenario_of(make), options);
}

/// Runs a scenario over and over: each time it is cancelled at another point of its way, at the
/// first, second, third ... time it waits, in each of six ways (Cancellation::Way); then calls
/// `check`, on the loop. `make()` makes the scenario anew each time, and what it works on.
///
///     std::optional<asyncio::Queue<int>> queue;
///     asyncio::testing::cancel_everywhere(
///         [&] { queue.emplace(); return scenario(*queue); },
///         [&] { return queue->qsize() == 1; });
///
/// `check()` may be a coroutine; false, or an error, is a failure. So is every end of the scenario
/// but its own and the one that was asked for. What failed is reported on stderr with its point.
/// Gives how many cancellations were tried.
///
/// Throws:  what the scenario or the check throws, Deadlock too.
template <class Make, class Check>
std::size_t cancel_everywhere(Make make, Check check) {
  return detail::cancel_everywhere(detail::scenario_of(make), [&check](const Cancellation& where) {
    if constexpr (std::is_invocable_v<Check&, const Cancellation&>) {
      return detail::run_check([&check, &where] { return check(where); });
    } else {
      return detail::run_check([&check] { return check(); });
    }
  });
}

}  // namespace asyncio::inline v0::testing
