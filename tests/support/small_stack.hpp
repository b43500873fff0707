// A thread with the smallest native stack that the library promises to need.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace asyncio::test {

inline constexpr std::size_t small_stack = 1024 * 1024;

/// Calls `fn` in a thread with a stack of 1 MiB, and waits for it. True if it ended without an
/// exception, and all its frames are back; an overflow ends the process.
bool on_small_stack(void (*fn)());

}  // namespace asyncio::test
