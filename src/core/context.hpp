// Contexts as tasks and callbacks hold them.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/context.hpp>
#include <asyncio/task.hpp>

#include <optional>

namespace asyncio::inline v0::detail {

/// The context of the code that runs now: the task's, the callback's or the thread's.
ContextSlot& active_context() noexcept;

/// copy_slot(active_context()), which is nothing for most tasks.
ContextSlot copy_current_slow() noexcept;
inline ContextSlot copy_current() noexcept {
  const ThreadState& thread = thread_state;
  if (thread.task && !thread.task->context.has_values()) [[likely]] return {};
  return copy_current_slow();
}

/// A snapshot: what is set here later does not show there. Does not allocate.
ContextSlot copy_slot(const ContextSlot& slot) noexcept;
void drop_slot(ContextSlot& slot) noexcept;

/// The very context, shared.
/// Throws:  RuntimeError if it was moved from.
ContextSlot share_slot(const Context& context);

struct ContextAccess {
  static ContextState* state(const Context& context) noexcept { return context.state_; }
  static Context adopt(ContextState* state) noexcept { return Context(state); }
};

/// The slot's own context, made into one that can be shared. May throw std::bad_alloc.
Context context_of(ContextSlot& slot);

/// Runs a reporter in the context of the task it reports about [R82]; of none if it has ended.
class EnteredTaskContext {
 public:
  explicit EnteredTaskContext(const std::optional<AnyTask>& task) noexcept;
  EnteredTaskContext(const EnteredTaskContext&) = delete;
  EnteredTaskContext& operator=(const EnteredTaskContext&) = delete;
  ~EnteredTaskContext();

 private:
  TaskState* outer_task_;
  ContextSlot* outer_context_;
  ContextSlot copy_;
};

}  // namespace asyncio::inline v0::detail
