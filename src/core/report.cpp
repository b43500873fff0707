// The exception handlers: the user's, and the default one that writes to stderr.
// SPDX-License-Identifier: MIT
#include "core/report.hpp"

#include "core/context.hpp"
#include "core/loop.hpp"
#include "core/task_text.hpp"
#include "core/traceback.hpp"

#include <cstdio>

namespace asyncio::inline v0::detail {

void report(Loop& loop, const ExceptionContext& context) noexcept {
  if (loop.exception_handler) {
    try {
      // The handler sees the context variables of the task it is told about [R82].
      EnteredTaskContext entered(context.task);
      loop.exception_handler(loop.facade, context);
      return;
    } catch (...) {
      try {
        ExceptionContext second;
        second.message = "Unhandled error in exception handler";
        second.exception = std::current_exception();
        report_by_default(second);
      } catch (...) {
      }
    }
  }
  report_by_default(context);
}

void report(Loop& loop, std::string_view message, std::exception_ptr error,
            TaskState* task) noexcept {
  try {
    ExceptionContext context;
    context.message = message;
    context.exception = std::move(error);
    if (task) context.task = HandleAccess::retain<AnyTask>(*task);
    if (context.exception) context.traceback = chain_entries(context.exception);
    report(loop, context);
  } catch (...) {
    std::fputs("asyncio: out of memory while reporting an error\n", stderr);
  }
}

void report_unseen_error(ResultState& state) noexcept {
  if (!state.error || state.is(ResultState::seen | ResultState::cancelled)) return;
  state.set(ResultState::seen);
  const bool is_task = state.kind == ReadyNode::Kind::task;
  // The handler may take handles of a task whose last one has just gone: it lives until then.
  ++state.references;
  report(loop_of(*state.loop),
         is_task ? "Task exception was never retrieved" : "Future exception was never retrieved",
         state.error, is_task ? static_cast<TaskState*>(&state) : nullptr);
  --state.references;
}

void report_error_at_end(TaskState& task) noexcept {
  if (!task.is(ResultState::asked_to_leave)) return report_unseen_error(task);
  if (!task.error || task.is(ResultState::cancelled) || is_exit(task.error)) return;
  task.set(ResultState::seen);
  report(loop_of(*task.loop), "unhandled exception during shutdown", task.error, &task);
}

void report_unheld(TaskState& task) noexcept {
  try {
    report(loop_of(*task.loop), "nobody holds task '" + task_name(task) + "' and it still runs",
           nullptr);
  } catch (...) {
  }
}

void report_swallowed(TaskState& task) noexcept {
  try {
    report(loop_of(*task.loop),
           "task '" + task_name(task) + "' was cancelled and returned all the same: let "
           "CancelledError pass, or uncancel() what was caught",
           nullptr);
  } catch (...) {
  }
}

void report_by_default(const ExceptionContext& context) noexcept {
  try {
    std::string text(context.message);
    if (context.task) {
      text += "\n  task: " + context.task->get_name();
      if (!context.task->done()) text += " (still running)";
    }
    text += '\n';
    if (context.exception) text += format(context.exception);
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  } catch (...) {
    std::fputs("asyncio: out of memory while reporting an error\n", stderr);
  }
}

}  // namespace asyncio::inline v0::detail
