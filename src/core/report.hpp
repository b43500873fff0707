// What nobody awaited, said once and with names.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/event_loop.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace asyncio::inline v0::detail {

struct Loop;

/// Gives it to the loop's exception handler; if that throws, to the default one [R81].
void report(Loop& loop, const ExceptionContext& context) noexcept;
void report(Loop& loop, std::string_view message, std::exception_ptr error,
            TaskState* task = nullptr) noexcept;
/// From any thread: to the handler in the loop's own, whose the handler is, else to stderr. The
/// loop may be gone.
void report_anywhere(const LoopBase* loop, std::string_view message,
                     std::exception_ptr error) noexcept;

/// Lines for the end of a message: the native stack on which this block was made, if it was noted,
/// as debug mode does [R83].
std::string made_at(const void* block) noexcept;

/// "Task exception was never retrieved", unless somebody has asked for it [R80].
void report_unseen_error(ResultState& state) noexcept;

/// The same at once, of a detached task; of one that was cancelled by the loop's shutdown even if
/// others await it [R72].
void report_error_at_end(TaskState& task) noexcept;

/// Debug mode: the last handle of a running task has gone.
void report_unheld(TaskState& task) noexcept;

/// Debug mode: a task that was asked to end has returned as if it had not been.
void report_swallowed(TaskState& task) noexcept;

/// Debug mode: a task has awaited a million coroutines and none of them has waited.
void report_restless(TaskState& task) noexcept;

/// Writes it to stderr.
void report_by_default(const ExceptionContext& context) noexcept;

}  // namespace asyncio::inline v0::detail
