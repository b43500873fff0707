// The chain of an exception in words, and what else can be said of it.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/where.hpp>
#include <asyncio/detail/core/frame_entry.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace asyncio::inline v0 {
class CancelledError;
class ExceptionGroup;
}

namespace asyncio::inline v0::detail {

/// Outermost first.
std::vector<FrameEntry> chain_entries(const std::exception_ptr& error);

/// As the user wrote them: without the library's own adapters. Keeps the order.
std::vector<FrameEntry> entries_of(const std::vector<Where>& places);

/// Python's line for each: where, and in which function.
std::string lines_of(const std::vector<FrameEntry>& entries);

/// The coroutine's name.
std::string function_at(Where place);

/// "ValueError: what it says": the type's name and what() or message.
std::string describe(const std::exception_ptr& error);

/// As Python prints it: the traceback, then describe(); groups as a tree; first what is nested in
/// it, as the cause.
std::string format(const std::exception_ptr& error);

/// True if `other` is `error`, nested in it (std::throw_with_nested), or in a group that it is.
bool carries(const std::exception_ptr& error, const std::exception_ptr& other) noexcept;

/// What it points at if that is an ExceptionGroup.
const ExceptionGroup* as_group(const std::exception_ptr& error) noexcept;
/// What it points at if that is a CancelledError.
const CancelledError* as_cancellation(const std::exception_ptr& error) noexcept;
inline bool is_cancellation(const std::exception_ptr& error) noexcept {
  return as_cancellation(error) != nullptr;
}
/// True if it is a KeyboardInterrupt or SystemExit.
bool is_exit(const std::exception_ptr& error) noexcept;

}  // namespace asyncio::inline v0::detail
