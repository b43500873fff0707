// The chain of coroutines that an exception crossed, kept beside it (docs/decisions/0011, 0017).
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/where.hpp>

#include <cstdint>
#include <exception>
#include <vector>

namespace asyncio::inline v0::detail {

/// Adds a place, innermost first. `frame` tells one frame from the next: a second place of the
/// frame that made the last one is left out. Where memory is short, the place is lost.
void chain_append(const std::exception_ptr& error, Where place, const void* frame) noexcept;

std::uint32_t chain_length(const std::exception_ptr& error) noexcept;
/// Null where there is no chain.
Where chain_innermost(const std::exception_ptr& error) noexcept;

/// Forgets what lies outside of the innermost `length` places.
void chain_truncate(const std::exception_ptr& error, std::uint32_t length) noexcept;

/// Gives `to` the chain of `from`: what an error that replaces another one has crossed.
void chain_copy(const std::exception_ptr& from, const std::exception_ptr& to) noexcept;

/// Innermost first.
std::vector<Where> chain_places(const std::exception_ptr& error);

}  // namespace asyncio::inline v0::detail
