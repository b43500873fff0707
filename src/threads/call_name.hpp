// What a call in a thread is called in messages.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/threads/job.hpp>

#include <string>

namespace asyncio::inline v0::detail {

/// A line "  f(int)", and where it is awaited; begins with the end of the line before.
std::string in_words(const CallName& call);

}  // namespace asyncio::inline v0::detail
