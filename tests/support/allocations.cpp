// operator new and delete of the test program: malloc and free, counted.
// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"

#include <atomic>
#include <cstdlib>

namespace asyncio::test {
namespace {

constinit thread_local std::uint64_t made = 0;
constinit thread_local std::uint64_t failing = 0;  // the number of the one to fail; 0: none
constinit thread_local bool failed = false;
constinit std::atomic<std::ptrdiff_t> in_use{0};

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (++made == failing) {
    failed = true;
    return nullptr;
  }
  void* const block =
      alignment == 0
          ? std::malloc(size ? size : 1)
          : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (block) in_use.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const block = allocate(size, alignment);
  if (!block) throw std::bad_alloc();
  return block;
}

void give_back(void* block) noexcept {
  if (!block) return;
  in_use.fetch_sub(1, std::memory_order_relaxed);
  std::free(block);
}

}  // namespace

std::uint64_t allocations() noexcept { return made; }
std::ptrdiff_t blocks_in_use() noexcept { return in_use.load(); }

FailAllocation::FailAllocation(std::uint64_t n) noexcept {
  failing = made + n;
  failed = false;
}
FailAllocation::~FailAllocation() { failing = 0; }
bool FailAllocation::happened() const noexcept { return failed; }

}  // namespace asyncio::test

using namespace asyncio::test;

void* operator new(std::size_t size) { return allocate_or_throw(size, 0); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 0); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 0); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete[](void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { give_back(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { give_back(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete[](void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }
