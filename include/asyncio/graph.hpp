// traceback, format_exception, print_exception: the coroutines an exception crossed.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>
#include <asyncio/detail/core/frame_entry.hpp>

#include <exception>
#include <iosfwd>
#include <string>
#include <vector>

namespace asyncio::inline v0 {

/// The chain of coroutines that `error` crossed, outermost first, each with the line of the
/// co_await it crossed. Empty if it crossed none.
///
/// The innermost entry is the coroutine that threw, with its last co_await: where in it the throw
/// stands is not known. Where several tasks await one failed task, the chain is that of the last
/// co_await that rethrew it.
/// Python:  traceback.extract_tb.
ASYNCIO_API std::vector<FrameEntry> traceback(const std::exception_ptr& error);

/// As Python prints an exception; groups as a tree.
ASYNCIO_API std::string format_exception(const std::exception_ptr& error);

/// To stderr, or to `out`.
ASYNCIO_API void print_exception(const std::exception_ptr& error);
ASYNCIO_API void print_exception(const std::exception_ptr& error, std::ostream& out);

}  // namespace asyncio::inline v0
