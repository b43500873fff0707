// One step of a task: from where it stands to its next wait, or to its end.
// SPDX-License-Identifier: MIT
#pragma once

#include "core/loop.hpp"

#include <utility>

namespace asyncio::inline v0::detail {

/// Resumes frames until one of them waits or the root ends. See transfer().
inline void drive(TaskState& task) noexcept {
  ThreadState& thread = thread_state;
  std::coroutine_handle<> frame = task.resume_at;
  do {
    thread.budget = transfer_budget;
    thread.next = nullptr;
    frame.resume();
    frame = thread.next;
  } while (frame);
  if (PromiseBase* const root = thread.finished) {
    thread.finished = nullptr;
    task.ops->finish(task, *root);
  }
}

/// A frame that has run and waits stands at some co_await.
inline bool has_begun(const TaskState& task) noexcept {
  const auto frame =
      std::coroutine_handle<PromiseBase>::from_address(task.resume_at.address());
  return frame.promise().where != nullptr;
}

/// Goes on with a task until it waits or ends.
inline void step(TaskState& task) noexcept {
  thread_state.task = &task;
  if (task.is(ResultState::must_cancel | ResultState::interrupted) && !has_begun(task))
      [[unlikely]] {
    tear_down(task);  // never enters its body [R15]
  } else {
    drive(task);
  }
  thread_state.task = nullptr;
}

}  // namespace asyncio::inline v0::detail
