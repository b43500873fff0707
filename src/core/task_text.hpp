// What few tasks have: a name of their own, and the message of a cancellation.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/task_state.hpp>

#include <string>
#include <string_view>

namespace asyncio::inline v0::detail {

/// "Task-7" unless the task has a name.
std::string task_name(const TaskState& task);
/// May throw std::bad_alloc.
void set_task_name(TaskState& task, std::string_view name);

/// Where there is no memory for it the message is dropped: the cancellation counts, not its text.
void set_cancel_message(TaskState& task, std::string_view message) noexcept;
std::string_view cancel_message(const TaskState& task) noexcept;

void drop_task_text(TaskState& task) noexcept;

/// The task whose place in the list of all tasks this is.
inline TaskState& task_in_ring(RingNode& node) noexcept {
  // TaskState is not standard-layout, but its members' offsets are fixed all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
  constexpr std::size_t offset = offsetof(TaskState, all);
#pragma GCC diagnostic pop
  return *reinterpret_cast<TaskState*>(reinterpret_cast<char*>(&node) - offset);
}

}  // namespace asyncio::inline v0::detail
