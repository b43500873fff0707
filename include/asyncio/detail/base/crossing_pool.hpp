// Free lists of blocks that are made in one thread and given up in another.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

#include <cstddef>

namespace asyncio::inline v0::detail {

/// Throws std::bad_alloc.
ASYNCIO_API void* crossing_allocate(std::size_t size);
ASYNCIO_API void crossing_free(void* block, std::size_t size) noexcept;

}  // namespace asyncio::inline v0::detail
