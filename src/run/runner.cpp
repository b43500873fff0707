// Runner: the loop, its context, and how a main task's end becomes run()'s.
// SPDX-License-Identifier: MIT
#include <asyncio/run.hpp>

#include "core/loop.hpp"
#include "run/interrupt.hpp"

#include <csignal>
#include <optional>

namespace asyncio::inline v0 {

struct Runner::State {
  RunOptions options;
  std::unique_ptr<EventLoop> loop;
  std::optional<Context> context;
  bool closed = false;
};

Runner::Runner(RunOptions options) : state_(new State) {
  state_->options = options;
}

Runner::~Runner() {
  try {
    close();
  } catch (...) {
    // An error of the clean-up cannot leave a destructor; close() by hand shows it.
  }
  delete state_;
}

Context& Runner::prepare() {
  if (detail::running_here()) {
    throw RuntimeError("run: a loop runs in this thread already; await the coroutine, or give it "
                       "to create_task()");
  }
  if (state_->closed) throw RuntimeError("Runner::run: the runner is closed");
  if (!state_->loop) {
    const RunOptions& options = state_->options;
    state_->loop = options.loop_factory ? options.loop_factory() : new_event_loop();
    state_->loop->set_debug(options.debug);
    state_->context = copy_context();
  }
  return *state_->context;
}

EventLoop& Runner::get_loop() {
  if (!state_->loop) prepare();
  return *state_->loop;
}

void Runner::run_main(const AnyTask& main) {
  detail::Loop& loop = detail::LoopAccess::loop(*state_->loop);
  const detail::Interrupts interrupts(loop, state_->options.handle_sigint,
                                      state_->options.handle_sigterm);
  const auto leave = [&] {
    if (interrupts.signal() == SIGTERM) throw SystemExit{128 + SIGTERM};
    throw KeyboardInterrupt();
  };
  int handled = 0;
  loop.on_interrupt = [&] {
    const int count = interrupts.count();
    if (handled == 0) main.cancel();
    if (count > 1 && handled < 2) {
      loop.end_with(interrupts.signal() == SIGTERM
                        ? std::make_exception_ptr(SystemExit{128 + SIGTERM})
                        : std::make_exception_ptr(KeyboardInterrupt()));
    }
    handled = count;
  };
  struct Reset {
    detail::Loop& loop;
    ~Reset() { loop.on_interrupt = {}; }
  } reset{loop};
  detail::LoopAccess::run_until(*state_->loop, detail::HandleAccess::state(main));
  // Ours was the only request: the cancellation is the interrupt [R74].
  if (handled > 0 && main.cancelled() && main.uncancel() == 0) leave();
}

struct detail::RunnerAccess {
  static AnyTask run_to_end(Runner& runner, TaskState* (*make)(LoopBase&), FrameHandle& frame) {
    TaskOptions options;
    options.context = &runner.prepare();
    TaskState& task = *make(LoopAccess::loop(runner.get_loop()));
    spawn(task, frame, options);
    AnyTask main = HandleAccess::adopt<AnyTask>(task);
    runner.run_main(main);
    return main;
  }
};

detail::MainTask::MainTask(TaskState* (*make)(LoopBase&), FrameHandle& frame,
                           const RunOptions& options) {
  std::exception_ptr interrupt;
  {
    Runner runner(options);
    try {
      task_ = RunnerAccess::run_to_end(runner, make, frame);
    } catch (...) {
      interrupt = std::current_exception();
    }
    runner.close();  // before an error leaves: clean-up runs even if nobody catches it
  }
  const Rethrowing rethrowing;
  if (interrupt) std::rethrow_exception(std::move(interrupt));
}

detail::MainTask::~MainTask() = default;

detail::TaskState& detail::MainTask::with_value() const {
  ResultState& state = HandleAccess::state(task_);
  state.require_value();
  return static_cast<TaskState&>(state);
}

void Runner::close() {
  if (std::exchange(state_->closed, true) || !state_->loop) return;
  detail::Loop& loop = detail::LoopAccess::loop(*state_->loop);
  std::exception_ptr interrupt;
  try {
    loop.cancel_all_tasks();
  } catch (...) {
    interrupt = std::current_exception();  // KeyboardInterrupt or SystemExit of a leftover
  }
  loop.close();
  state_->loop.reset();
  if (interrupt) std::rethrow_exception(std::move(interrupt));
}

}  // namespace asyncio::inline v0
