// Free lists of coroutine frames and task states, one set per thread.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

#include <cstddef>

namespace asyncio::inline v0::detail {

/// Blocks come in classes of 16 bytes. Larger ones, and all of them under a sanitizer or with
/// ASYNCIO_FRAME_POOL=0 in the environment, come from operator new.
struct FramePool {
  static constexpr std::size_t granule = 16;
  static constexpr std::size_t classes = 64;  // up to 1024 bytes

  // The largest class this thread serves from its lists; 0 before its first allocation, and for
  // ever where the pool is off. So one comparison guards both.
  std::size_t limit;
  void* lists[classes + 1];
};

extern constinit thread_local FramePool frame_pool ASYNCIO_API
    __attribute__((tls_model("initial-exec")));

ASYNCIO_API void* frame_allocate_slowly(std::size_t size);
ASYNCIO_API void frame_free_slowly(void* block, std::size_t size) noexcept;

/// Throws std::bad_alloc.
ASYNCIO_INLINE void* frame_allocate(std::size_t size) {
  const std::size_t index = (size + FramePool::granule - 1) / FramePool::granule;
  FramePool& pool = frame_pool;
  if (index <= pool.limit) [[likely]] {
    if (void* block = pool.lists[index]) [[likely]] {
      pool.lists[index] = *static_cast<void**>(block);
      return block;
    }
  }
  return frame_allocate_slowly(size);
}

ASYNCIO_INLINE void frame_free(void* block, std::size_t size) noexcept {
  const std::size_t index = (size + FramePool::granule - 1) / FramePool::granule;
  FramePool& pool = frame_pool;
  if (index > pool.limit) [[unlikely]] {
    frame_free_slowly(block, size);
    return;
  }
  *static_cast<void**>(block) = pool.lists[index];
  pool.lists[index] = block;
}

/// What lies in the pool: one pair of functions for all, where nothing is inlined.
struct Pooled {
  static void* operator new(std::size_t size) { return frame_allocate(size); }
  static void operator delete(void* block, std::size_t size) noexcept { frame_free(block, size); }
};

/// Blocks handed out by this thread and by those that have ended, and not yet back.
ASYNCIO_API std::ptrdiff_t frames_in_use() noexcept;

}  // namespace asyncio::inline v0::detail
