// One step of a task: from where it stands to its next wait, or to its end.
// SPDX-License-Identifier: MIT
#pragma once

#include "core/loop.hpp"
#include "core/report.hpp"

#include <utility>

namespace asyncio::inline v0::detail {

/// Takes a task's result out of its root frame, and the frame down.
void finish_task(TaskState& task, PromiseBase& root) noexcept;

/// A million awaits: each is a transfer there and one back.
inline constexpr int bounces_without_rest = 2 * 1'000'000 / transfer_budget;

/// Resumes frames until one of them waits or the root ends. See transfer().
// Unchecked (the two are one check): inlined behind a branch, g++ 12's null sanitizer looks at an
// address of thread_state that it has not computed on that path.
__attribute__((no_sanitize("null", "alignment"))) inline void drive(TaskState& task) noexcept {
  ThreadState& thread = thread_state;
  std::coroutine_handle<> frame = task.resume_at;
  for (int bounces = 0;;) {
    thread.budget = transfer_budget;
    thread.next = nullptr;
    frame.resume();
    frame = thread.next;
    if (!frame) break;
    if (++bounces == bounces_without_rest) [[unlikely]] report_restless(task);
  }
  if (PromiseBase* const root = thread.finished) {
    thread.finished = nullptr;
    finish_task(task, *root);
  }
}

/// A step of a task that has been asked to end: one that has not begun never enters its body [R15].
void step_cancelled(TaskState& task) noexcept;

/// Goes on with a task until it waits or ends.
inline void step(TaskState& task) noexcept {
  thread_state.task = &task;
  if (task.is(ResultState::must_cancel | ResultState::interrupted)) [[unlikely]] {
    step_cancelled(task);
  } else {
    drive(task);
  }
  thread_state.task = nullptr;
}

}  // namespace asyncio::inline v0::detail
