// Taking a pointer and swapping two: <utility>'s ask some twenty traits about each type.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

namespace asyncio::inline v0::detail {

/// What `from` points at, or the handle that it is; leaves null.
template <class Pointer>
ASYNCIO_INLINE Pointer taken(Pointer& from) noexcept {
  const Pointer was = from;
  from = nullptr;
  return was;
}

/// Swaps what is copied without a thought.
template <class Plain>
ASYNCIO_INLINE void swap_plain(Plain& one, Plain& other) noexcept {
  const Plain was = one;
  one = other;
  other = was;
}

}  // namespace asyncio::inline v0::detail
