// The exception handlers: the user's, and the default one that writes to stderr.
// SPDX-License-Identifier: MIT
#include "core/report.hpp"

#include "base/native_stack.hpp"
#include "core/context.hpp"
#include "core/loop.hpp"
#include "core/task_text.hpp"
#include "core/traceback.hpp"

#include <algorithm>
#include <cstdio>

namespace asyncio::inline v0::detail {
namespace {

void say_out_of_memory() noexcept {
  std::fputs("asyncio: out of memory while reporting an error\n", stderr);
}

}  // namespace

void report(Loop& loop, const ExceptionContext& context) noexcept {
  if (const ExceptionHandler handler = loop.exception_handler) {  // kept, should it replace itself
    try {
      // The handler sees the context variables of the task it is told about [R82].
      EnteredTaskContext entered(context.task);
      handler(loop.facade, context);
      return;
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      if (loop.running && is_exit(error)) return loop.end_with(error);  // as from a callback [R77]
      try {
        ExceptionContext second;
        second.message = "Unhandled error in exception handler";
        second.exception = error;
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
    say_out_of_memory();
  }
}

void report_anywhere(const LoopBase* loop, std::string_view message,
                     std::exception_ptr error) noexcept {
  if (loop == thread_state.loop && loop) {
    report(loop_of(*thread_state.loop), message, std::move(error));
    return;
  }
  try {
    ExceptionContext context;
    context.message = message;
    context.exception = std::move(error);
    report_by_default(context);
  } catch (...) {
    say_out_of_memory();
  }
}

std::string made_at(const void* block) noexcept {
  try {
    std::string stack = creation_of(block);
    if (stack.empty()) return {};
    stack.pop_back();
    return "\nMade at (native stack, innermost first):\n" + stack;
  } catch (...) {
    return {};
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

namespace {

void report_task(TaskState& task, const char* before, const char* after) noexcept {
  try {
    report(loop_of(*task.loop), before + ("task '" + task_name(task)) + after, nullptr);
  } catch (...) {
    say_out_of_memory();
  }
}

}  // namespace

void report_unheld(TaskState& task) noexcept {
  report_task(task, "nobody holds ", "' and it still runs");
}

void report_swallowed(TaskState& task) noexcept {
  report_task(task, "",
              "' was cancelled and returned all the same: let CancelledError pass, or uncancel() "
              "what was caught");
}

ASYNCIO_COLD void report_restless(TaskState& task) noexcept {
  if (!task.loop->debug) return;
  report_task(task, "",
              "' has awaited a million coroutines without waiting once: nothing else gets a turn; "
              "co_await sleep(0s) now and then");
}

namespace {

constinit thread_local int silences = 0;

void report_unawaited(const PromiseBase& promise, const void* frame) noexcept {
  try {
    const Where function = promise.standing.place_or_function();
    const std::vector<FrameEntry> place = entries_of({function});
    std::string name = function_at(function);
    if (place.empty()) name.resize(std::min(name.size(), name.find('<')));  // our own, of any T
    const std::string message = "coroutine '" + name + "' was never awaited" + made_at(frame);
    ExceptionContext context;
    context.message = message;
    context.traceback = place;
    if (thread_state.loop) report(loop_of(*thread_state.loop), context);
    else report_by_default(context);
  } catch (...) {
    say_out_of_memory();
  }
}

}  // namespace

Silence::Silence() noexcept { ++silences; }
Silence::~Silence() { --silences; }

void destroy_failed(PromiseBase& promise) noexcept {
  const Silence silence;
  PromiseBase::handle_of(promise).destroy();
}

void destroy_unawaited(std::coroutine_handle<> frame) noexcept {
  // An exception on its way says more than what it left undone.
  if (silences == 0 && std::uncaught_exceptions() == 0) {
    report_unawaited(PromiseBase::promise_of(frame), frame.address());
  }
  frame.destroy();
}

void report_by_default(const ExceptionContext& context) noexcept {
  try {
    std::string text(context.message);
    if (context.task) {
      text += "\n  task: " + context.task->get_name();
      if (!context.task->done()) text += " (still running)";
    }
    text += '\n';
    text += context.exception ? format(context.exception) : lines_of(context.traceback);
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  } catch (...) {
    say_out_of_memory();
  }
}

}  // namespace asyncio::inline v0::detail
