// Where the free lists get their blocks from, and where they go when a thread ends.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/base/frame_pool.hpp>

#include "base/native_stack.hpp"
#include "base/pooling.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace asyncio::inline v0::detail {

constinit thread_local FramePool frame_pool{};

// ---- whether to keep anything

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

}  // namespace

bool pooling() noexcept {
  static const bool on = [] {
    const char* wish = secure_getenv("ASYNCIO_FRAME_POOL");
    return !sanitized && !(wish && wish[0] == '0');
  }();
  return on;
}

// ---- the lists

namespace {

// A chunk serves about a thousand small frames; the first 16 bytes link it to the one before, so
// that leak checkers see every chunk from a global.
constexpr std::size_t chunk_size = 256 * 1024;

// What ended threads left behind, for the next thread that runs short.
struct Orphans {
  std::mutex mutex;
  void* lists[FramePool::classes + 1] = {};
  void* chunks = nullptr;
  std::ptrdiff_t in_use = 0;  // blocks that ended threads had out, less those they took in
};

// Never destroyed: frames may be freed by destructors of globals.
Orphans& orphans() noexcept {
  alignas(Orphans) static unsigned char storage[sizeof(Orphans)];
  static Orphans* const instance = ::new (static_cast<void*>(storage)) Orphans;
  return *instance;
}

struct ThreadShare {
  char* at = nullptr;
  char* end = nullptr;
  std::ptrdiff_t carved = 0;  // blocks cut from chunks or taken from operator new, less those back
  bool ended = false;
  bool noting = false;
  std::size_t notes = 0;  // blocks noted by this thread and not freed by it yet

  // Every block comes and goes by the slow ways: a note that outlived its block would be taken for
  // the next one's.
  bool slow() const noexcept { return noting || notes > 0; }
};

constinit thread_local ThreadShare share{};

void push(void*& list, void* block) noexcept {
  *static_cast<void**>(block) = list;
  list = block;
}

void* pop(void*& list) noexcept {
  void* block = list;
  if (block) list = *static_cast<void**>(block);
  return block;
}

std::ptrdiff_t listed() noexcept {
  std::ptrdiff_t count = 0;
  for (void* block : frame_pool.lists) {
    for (; block; block = *static_cast<void**>(block)) ++count;
  }
  return count;
}

// Hands the thread's lists over when the thread ends. Constructed by its first slow call.
struct AtThreadEnd {
  AtThreadEnd() noexcept {}
  AtThreadEnd(const AtThreadEnd&) = delete;
  AtThreadEnd& operator=(const AtThreadEnd&) = delete;
  ~AtThreadEnd() {
    Orphans& all = orphans();
    const std::lock_guard lock(all.mutex);
    all.in_use += share.carved - listed();
    for (std::size_t index = 1; index <= FramePool::classes; ++index) {
      while (void* block = pop(frame_pool.lists[index])) push(all.lists[index], block);
    }
    // The rest of the chunk, cut into the largest blocks that fit.
    while (std::size_t left = static_cast<std::size_t>(share.end - share.at) / FramePool::granule) {
      const std::size_t index = left < FramePool::classes ? left : FramePool::classes;
      push(all.lists[index], std::exchange(share.at, share.at + index * FramePool::granule));
    }
    frame_pool.limit = 0;  // later frees of this thread go to the orphans, one by one
    share.ended = true;
  }
};

void be_told_of_thread_end() noexcept {
  static thread_local AtThreadEnd at_end;
  static_cast<void>(at_end);
}

void* carve(std::size_t index) {
  const std::size_t size = index * FramePool::granule;
  if (static_cast<std::size_t>(share.end - share.at) < size) {
    Orphans& all = orphans();
    const std::lock_guard lock(all.mutex);
    if (void* block = pop(all.lists[index])) return block;
    char* chunk = static_cast<char*>(::operator new(chunk_size));
    push(all.chunks, chunk);
    while (std::size_t left = static_cast<std::size_t>(share.end - share.at) / FramePool::granule) {
      const std::size_t rest = left < FramePool::classes ? left : FramePool::classes;
      push(frame_pool.lists[rest], std::exchange(share.at, share.at + rest * FramePool::granule));
      ++share.carved;
    }
    share.at = chunk + FramePool::granule;
    share.end = chunk + chunk_size;
  }
  return std::exchange(share.at, share.at + size);
}

}  // namespace

ASYNCIO_COLD void* frame_allocate_slowly(std::size_t size) {
  be_told_of_thread_end();
  const std::size_t index = (size + FramePool::granule - 1) / FramePool::granule;
  void* block;
  if (index > FramePool::classes || !pooling() || share.ended) {
    // After the thread's lists went, a pooled block may still be asked for: whole classes only, so
    // that it can go back to the orphans.
    const bool orphan = share.ended && pooling() && index <= FramePool::classes;
    block = ::operator new(orphan ? index * FramePool::granule : size);
    ++share.carved;
  } else {
    if (!share.slow()) frame_pool.limit = FramePool::classes;
    block = pop(frame_pool.lists[index]);
    if (!block) {
      block = carve(index);
      ++share.carved;
    }
  }
  if (share.noting && note_creation(block)) ++share.notes;
  return block;
}

ASYNCIO_COLD void frame_free_slowly(void* block, std::size_t size) noexcept {
  be_told_of_thread_end();
  const std::size_t index = (size + FramePool::granule - 1) / FramePool::granule;
  if (share.slow()) {
    if (forget_creation(block)) --share.notes;
    if (!share.ended && pooling() && index <= FramePool::classes) {
      push(frame_pool.lists[index], block);
      return;
    }
  }
  --share.carved;
  if (index > FramePool::classes || !pooling()) {
    ::operator delete(block);
    return;
  }
  // This thread has no lists, or none any more.
  Orphans& all = orphans();
  const std::lock_guard lock(all.mutex);
  push(all.lists[index], block);
}

bool note_creations(bool wanted) noexcept {
  if (wanted) frame_pool.limit = 0;
  return std::exchange(share.noting, wanted);
}

std::ptrdiff_t frames_in_use() noexcept {
  Orphans& all = orphans();
  const std::lock_guard lock(all.mutex);
  return share.carved - listed() + all.in_use;
}

}  // namespace asyncio::inline v0::detail
