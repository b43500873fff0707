// The place of a co_await: one pointer to what the compiler knows about it.
// SPDX-License-Identifier: MIT
#pragma once

#include <source_location>

namespace asyncio::inline v0::detail {

/// What __builtin_source_location() gives: a pointer to static data, so it costs one store. A
/// std::source_location as a default argument would be a class temporary that g++ 12 keeps in the
/// coroutine's frame, 16 bytes per await.
using Where = const void*;

}  // namespace asyncio::inline v0::detail
