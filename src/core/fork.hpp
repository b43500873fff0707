// Whether this is still the process that something was made in.
// SPDX-License-Identifier: MIT
#pragma once

namespace asyncio::inline v0::detail {

/// How many forks lie between this process and the one that began to count. Asking for the
/// process's id instead would be a system call each time.
extern volatile unsigned fork_count;

/// fork_count, and from now on they are counted.
unsigned forks_so_far() noexcept;

}  // namespace asyncio::inline v0::detail
