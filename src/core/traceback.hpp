// The chain of coroutines that an exception crossed, kept beside it (docs/decisions/0011).
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/where.hpp>
#include <asyncio/detail/core/frame_entry.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace asyncio::inline v0::detail {

/// Adds an entry, innermost first. `frame` tells one frame from the next: a second entry of the
/// frame that made the last one is left out.
void chain_append(const std::exception_ptr& error, Where place, const void* frame) noexcept;

std::uint32_t chain_length(const std::exception_ptr& error) noexcept;

/// Forgets what lies outside of the innermost `length` entries.
void chain_truncate(const std::exception_ptr& error, std::uint32_t length) noexcept;

/// Gives `to` the chain of `from`: what an error that replaces another one has crossed.
void chain_copy(const std::exception_ptr& from, const std::exception_ptr& to) noexcept;

/// Outermost first.
std::vector<FrameEntry> chain_entries(const std::exception_ptr& error);

/// As the user wrote them: without the library's own adapters. Keeps the order.
std::vector<FrameEntry> entries_of(const std::vector<Where>& places);

/// "ValueError: what it says": the type's name and what() or message.
std::string describe(const std::exception_ptr& error);

/// As Python prints it: the traceback, then describe(); groups as a tree.
std::string format(const std::exception_ptr& error);

/// True if it is a CancelledError.
bool is_cancellation(const std::exception_ptr& error) noexcept;
/// True if it is a KeyboardInterrupt or SystemExit.
bool is_exit(const std::exception_ptr& error) noexcept;

std::string demangled(const char* symbol);

}  // namespace asyncio::inline v0::detail
