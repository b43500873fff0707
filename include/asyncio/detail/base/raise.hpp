// Raising an exception in the very frame that asks for it.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

#include <cstdint>
#include <exception>
#include <new>

namespace asyncio::inline v0::detail {

/// An exception's object, with the count that an exception_ptr gave up.
using Raised = void*;

inline Raised give_up(std::exception_ptr error) noexcept {
  static_assert(sizeof error == sizeof(Raised));
  Raised object;
  __builtin_memcpy(&object, &error, sizeof object);
  ::new (&error) std::exception_ptr;
  return object;
}
inline std::exception_ptr take_back(Raised object) noexcept {
  std::exception_ptr error;
  __builtin_memcpy(static_cast<void*>(&error), &object, sizeof object);
  return error;
}

/// How often this thread has raised an exception, and how.
struct RaiseCounts {
  std::uint64_t direct = 0;
  std::uint64_t unwound = 0;
};
ASYNCIO_API RaiseCounts raise_counts() noexcept;

}  // namespace asyncio::inline v0::detail

/// Raises what `exception` points at, and takes its count over. Called from a frame that handles
/// everything, as every coroutine's body does, it goes to the handler at once; from any other, and
/// where that cannot be trusted, it is std::rethrow_exception (docs/decisions/0014).
extern "C" [[noreturn]] ASYNCIO_API void asyncio_raise(asyncio::detail::Raised exception);
