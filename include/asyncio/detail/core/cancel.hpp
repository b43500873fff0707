// One call of cancel(), on its way through everything that is waited for.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/task_state.hpp>

#include <string_view>

namespace asyncio::inline v0::detail {

/// Works through a list, so that a chain of 100,000 tasks does not recurse; visits each task once,
/// so that a cycle ends [R14]. The order is that of recursion, as asyncio's: what a task waits for
/// comes before the task asked next, unless it was asked before.
///
///     a task is | then
///     waiting   | on the list; its waiter is asked to pass the request on, or leaves
///     ready     | must_cancel: taken back by uncancel() or thrown at its resumption [R18, R19]
///     running   | must_cancel: thrown at its next await that suspends [R17]
struct CancelRequest {
  explicit CancelRequest(std::string_view text) noexcept : message(text) {}
  CancelRequest(const CancelRequest&) = delete;
  CancelRequest& operator=(const CancelRequest&) = delete;
  ~CancelRequest() { work_off(); }

  /// Asks a task, or cancels a future. False if it is done.
  ASYNCIO_API bool add(ResultState& state) noexcept;

  const std::string_view message;

 private:
  friend void deliver_late_cancel(TaskState& task) noexcept;

  void work_off() noexcept;
  void visit(TaskState& task) noexcept;
  void interrupt(TaskState& task) noexcept;
  void break_cycles() noexcept;

  TaskState* to_do_ = nullptr;
  TaskState** insert_ = &to_do_;  // where the next goes: behind those asked in the same visit
  TaskState* visited_ = nullptr;
};

ASYNCIO_API bool cancel_task(TaskState& task, std::string_view message) noexcept;
ASYNCIO_API bool cancel_future(ResultState& future, std::string_view message) noexcept;

}  // namespace asyncio::inline v0::detail
