// From a coroutine's frame to a task that the loop knows.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/core/result_wait.hpp>

#include <coroutine>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

class Context;

/// How create_task() starts a task. `context`: runs in this very context, not in a copy of the
/// caller's. `eager_start`: runs to its first suspension inside create_task() [R115].
struct TaskOptions {
  std::string_view name = {};
  bool eager_start = false;
  Context* context = nullptr;
};

}  // namespace asyncio::inline v0

namespace asyncio::inline v0::detail {

[[noreturn]] ASYNCIO_API void throw_no_loop();
/// Throws:  RuntimeError if no loop runs in this thread.
inline LoopBase& require_loop() {
  if (!thread_state.loop) [[unlikely]] throw_no_loop();
  return *thread_state.loop;
}
inline void number_task(TaskState& task) noexcept {
  task.name = static_cast<std::uintptr_t>(++task.loop->tasks_made) << 1;
}

/// True if a task without options has no more to it than a number.
inline bool makes_plain_tasks(const LoopBase& loop) noexcept {
  const TaskState* const maker = thread_state.task;
  return maker && !maker->context.has_values() && !loop.has_task_factory;
}

/// Gives a task that has a number its place in the loop.
inline void admit_task(TaskState& task) noexcept {
  task.loop->tasks.append(task.all);
  ++task.references;  // the loop's own
}

ASYNCIO_API void start_eagerly(TaskState& task);
inline void start_task(TaskState& task, bool eager) {
  if (eager) [[unlikely]] start_eagerly(task);
  else task.loop->ready.push(task);
}

// In all of these `task` is new, and `frame` the root frame of what it runs: taken over, and the
// caller's handle emptied, once nothing can fail any more. On error the task is gone.

/// Names the task, gives it its context and its place in the loop, where it has yet to start.
ASYNCIO_API void register_task(TaskState& task, FrameHandle& frame, const TaskOptions& options);

inline void spawn(TaskState& task, FrameHandle& frame, const TaskOptions& options) {
  register_task(task, frame, options);
  start_task(task, options.eager_start);
}

/// The same without options, which most tasks are made with: with nothing to copy, to look at or to
/// take back, it is a third of the work.
inline void spawn(TaskState& task, FrameHandle& frame) {
  if (!makes_plain_tasks(*task.loop)) [[unlikely]] return spawn(task, frame, TaskOptions{});
  task.resume_at = taken(frame);
  number_task(task);
  admit_task(task);
  task.loop->ready.push(task);
}

}  // namespace asyncio::inline v0::detail
