// run, Runner, new_event_loop: from an ordinary function into the coroutines.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/context.hpp>
#include <asyncio/detail/core/uncaught.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

/// How the loop waits for the kernel.
enum class Engine { epoll };

/// What new_event_loop() makes.
struct LoopOptions {
  Engine engine = Engine::epoll;
};

/// A loop that nobody runs yet.
/// Throws:  std::system_error if the kernel gives no descriptors.
ASYNCIO_API std::unique_ptr<EventLoop> new_event_loop(LoopOptions options = {});

using LoopFactory = std::unique_ptr<EventLoop> (*)();

/// How run() runs. `handle_sigint`: Ctrl-C cancels the main task, as R74 says; `handle_sigterm`: so
/// does SIGTERM. `loop_factory`: null for new_event_loop(). `watchdog` and `trace` are fixed in the
/// interface and do nothing yet.
struct RunOptions {
  bool debug = detail::debug_by_default();
  bool handle_sigint = true;
  bool handle_sigterm = false;
  LoopFactory loop_factory = nullptr;
  std::chrono::nanoseconds watchdog = {};
  std::string_view trace = {};
};

namespace detail {
struct RunnerAccess;
}  // namespace detail

/// Runs several main coroutines, one after the other, on one loop and in one context [R76].
///
/// Python:  asyncio.Runner.
class ASYNCIO_API Runner {
 public:
  explicit Runner(RunOptions options = {});
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  /// Runs `main` to its end and gives what it returns.
  ///
  /// Throws:  what it throws; KeyboardInterrupt after Ctrl-C, SystemExit after SIGTERM [R74];
  ///          RuntimeError if a loop runs in this thread already [R75].
  template <awaitable A>
  detail::TaskValue<A> run(A main, Context* context = nullptr) {
    auto task = run_to_end(std::move(main), context);
    const detail::Rethrowing rethrowing;
    return std::move(task).result();
  }

  EventLoop& get_loop();
  /// Ends all tasks, threads and the loop [R71]; twice is harmless.
  void close();

 private:
  friend detail::RunnerAccess;
  struct State;

  template <awaitable A>
  auto run_to_end(A main, Context* context) {
    TaskOptions options;
    options.context = context ? context : &prepare();
    auto task = get_loop().create_task(std::move(main), options);
    run_main(task);
    return task;
  }

  /// Makes the loop if there is none, and gives the context of the mains.
  Context& prepare();
  /// Runs until it is done.
  /// Throws:  KeyboardInterrupt or SystemExit, if that is how it ended.
  void run_main(const AnyTask& main);

  State* state_;  // owned
};

namespace detail {

/// What run() is without its T.
class ASYNCIO_API MainTask {
 public:
  /// Makes the task of `frame` in a loop of its own, and runs both to their end.
  MainTask(TaskState* (*make)(LoopBase&), FrameHandle& frame, const RunOptions& options);
  MainTask(const MainTask&) = delete;
  MainTask& operator=(const MainTask&) = delete;
  ~MainTask();

  /// Throws:  what it ended with, unless that is a value.
  TaskState& with_value() const;

 private:
  AnyTask task_;
};

}  // namespace detail

/// Runs `main` on a loop of its own, cancels and joins what it leaves behind, and gives what it
/// returns.
///
///     int main() { return asyncio::run(async_main()); }
///
/// Throws:  what main throws; KeyboardInterrupt after Ctrl-C, SystemExit{143} after SIGTERM; if
///          nobody catches these the process ends as by that signal.
/// Python:  asyncio.run.
template <awaitable A>
detail::TaskValue<A> run(A main, RunOptions options = {}) {
  using T = detail::TaskValue<A>;
  if constexpr (detail::is_coro<A>) {
    const detail::MainTask task(&detail::make_task<T>, detail::CoroAccess::frame(main), options);
    const detail::Rethrowing rethrowing;
    return detail::take_result<T>(static_cast<detail::TaskOf<T>&>(task.with_value()), 1);
  } else {
    return run(detail::as_coro(std::move(main)), options);
  }
}

}  // namespace asyncio::inline v0
