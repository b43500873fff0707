// The way back of blocks to the threads that make them: in batches, by a depot in between.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/base/crossing_pool.hpp>

#include "base/pooling.hpp"

#include <atomic>
#include <new>

namespace asyncio::inline v0::detail {
namespace {

constexpr std::size_t granule = 32;
constexpr std::size_t classes = 16;  // up to 512 bytes
constexpr std::size_t cache_line = 64;
constexpr int batch = 32;

struct Block {
  Block* next;
};

/// What threads have given up. Taken as a whole, so that nobody looks into a block that another
/// thread may take away.
struct alignas(cache_line) Depot {
  std::atomic<Block*> blocks{nullptr};
};
constinit Depot depots[classes + 1];

struct Share {
  std::size_t limit = 0;  // the largest class this thread keeps; 0 before its first call
  Block* kept[classes + 1] = {};
  struct Outgoing {
    Block* first = nullptr;
    Block* last = nullptr;
    int count = 0;
  } outgoing[classes + 1];
  bool ended = false;
};
constinit thread_local Share share{};

std::size_t class_of(std::size_t size) noexcept { return (size + granule - 1) / granule; }

void give_back(std::size_t index, Block* first, Block* last) noexcept {
  std::atomic<Block*>& blocks = depots[index].blocks;
  last->next = blocks.load(std::memory_order_relaxed);
  while (!blocks.compare_exchange_weak(last->next, first, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
}

struct AtThreadEnd {
  AtThreadEnd() noexcept {}
  AtThreadEnd(const AtThreadEnd&) = delete;
  AtThreadEnd& operator=(const AtThreadEnd&) = delete;
  ~AtThreadEnd() {
    share.limit = 0;
    share.ended = true;
    for (std::size_t index = 1; index <= classes; ++index) {
      if (Share::Outgoing& out = share.outgoing[index]; out.first) {
        give_back(index, out.first, out.last);
      }
      Block* const first = share.kept[index];
      if (!first) continue;
      Block* last = first;
      while (last->next) last = last->next;
      give_back(index, first, last);
    }
  }
};

// True if this thread keeps blocks of the class.
ASYNCIO_COLD bool begin_to_keep(std::size_t index) noexcept {
  if (index > classes || share.ended || !pooling()) return false;
  static thread_local AtThreadEnd at_end;
  static_cast<void>(at_end);
  share.limit = classes;
  return true;
}

}  // namespace

void* crossing_allocate(std::size_t size) {
  const std::size_t index = class_of(size);
  Share& mine = share;
  if (index > mine.limit && !begin_to_keep(index)) {
    // Who frees it may keep it, and then counts on the whole of its class.
    return ::operator new(index <= classes ? index * granule : size);
  }
  Block*& kept = mine.kept[index];
  if (!kept) {
    kept = depots[index].blocks.exchange(nullptr, std::memory_order_acquire);
    if (!kept) return ::operator new(index * granule);
  }
  Block* const block = kept;
  kept = block->next;
  return block;
}

void crossing_free(void* freed, std::size_t size) noexcept {
  const std::size_t index = class_of(size);
  Share& mine = share;
  if (index > mine.limit && !begin_to_keep(index)) return ::operator delete(freed);
  auto* const block = ::new (freed) Block{nullptr};
  Share::Outgoing& out = mine.outgoing[index];
  if (!out.first) out.last = block;
  block->next = out.first;
  out.first = block;
  if (++out.count < batch) return;
  give_back(index, out.first, out.last);
  out = {};
}

}  // namespace asyncio::inline v0::detail
