// Finds, makes and forgets the chain that belongs to an exception.
// SPDX-License-Identifier: MIT
#include "core/chain.hpp"

#include <asyncio/detail/base/frame_pool.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <thread>

namespace asyncio::inline v0::detail {
namespace {

// An exception's chain must die with it, or the next one at its address would inherit it. The
// Itanium C++ ABI calls the destructor noted in the exception's header when the last reference
// goes: an exception that has a chain has ours there, which frees the chain and goes on to the one
// before. Where the chain is stands in a word of the header that the C++ library leaves alone; it
// is looked at only where the destructor is ours.
using Destructor = void (*)(void*);

constexpr std::ptrdiff_t destructor_before_object = 104;
#if defined(_LIBCPP_VERSION)
constexpr std::ptrdiff_t chain_before_object = 128;  // __cxa_exception::reserve
#else
constexpr std::ptrdiff_t chain_before_object = 120;  // between the count and the header proper
#endif
constexpr bool header_is_known = sizeof(void*) == 8;  // where not, there are no chains

// Several threads may hold one exception, and append to its chain at once.
class Chain {
 public:
  explicit Chain(Destructor before) noexcept : next_(before) {}
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  ~Chain() {
    if (places_ != &first_) frame_free(places_, room_ * sizeof(Where));
  }

  static void* operator new(std::size_t size) { return frame_allocate(size); }
  static void operator delete(void* chain, std::size_t size) noexcept { frame_free(chain, size); }

  // std::lock_guard's; held for a few instructions.
  void lock() noexcept {
    while (busy_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() noexcept { busy_.store(false, std::memory_order_release); }

  Destructor next() const noexcept { return next_; }
  std::uint32_t length() const noexcept { return length_; }
  const Where* begin() const noexcept { return places_; }
  const Where* end() const noexcept { return places_ + length_; }

  void add(Where place) {
    if (length_ == room_) grow();
    places_[length_++] = place;
  }
  void append(Where place, const void* frame) {
    if (frame == last_frame_) return;
    add(place);
    last_frame_ = frame;
  }
  void truncate(std::uint32_t length) noexcept {
    if (length_ < length) return;
    length_ = length;
    last_frame_ = nullptr;  // the next frame may lie where an old one lay
  }

 private:
  void grow() {
    auto* more = static_cast<Where*>(frame_allocate(4 * room_ * sizeof(Where)));
    std::copy(begin(), end(), more);
    if (places_ != &first_) frame_free(places_, room_ * sizeof(Where));
    places_ = more;
    room_ *= 4;
  }

  Destructor next_;
  const void* last_frame_ = nullptr;
  Where* places_ = &first_;
  std::uint32_t length_ = 0;
  std::uint32_t room_ = 1;
  std::atomic<bool> busy_ = false;
  Where first_;  // most that are kept for long are those of cancelled tasks, one place long
};

char* object_of(const std::exception_ptr& error) noexcept {
  char* object;
  static_assert(sizeof error == sizeof object);
  __builtin_memcpy(&object, &error, sizeof object);
  return object;
}
std::atomic_ref<Destructor> destructor_of(char* object) noexcept {
  return std::atomic_ref(*reinterpret_cast<Destructor*>(object - destructor_before_object));
}
Chain*& chain_slot(char* object) noexcept {
  return *reinterpret_cast<Chain**>(object - chain_before_object);
}

void forget_chain(void* object) {
  Chain* const chain = chain_slot(static_cast<char*>(object));
  chain->lock();  // after whoever was the last to use it
  const Destructor next = chain->next();
  delete chain;
  if (next) next(object);
}

// Null where there is none.
Chain* find_chain(const std::exception_ptr& error) noexcept {
  char* const object = object_of(error);
  if (!header_is_known || !object ||
      destructor_of(object).load(std::memory_order_acquire) != &forget_chain) {
    return nullptr;
  }
  return chain_slot(object);
}

Chain& find_or_make_chain(const std::exception_ptr& error) {
  if (Chain* const found = find_chain(error)) return *found;
  static constinit std::mutex mutex;  // two threads may both come here with one exception
  const std::lock_guard lock(mutex);
  if (Chain* const found = find_chain(error)) return *found;
  char* const object = object_of(error);
  auto destructor = destructor_of(object);
  auto* const chain = new Chain(destructor.load(std::memory_order_relaxed));
  chain_slot(object) = chain;
  destructor.store(&forget_chain, std::memory_order_release);
  return *chain;
}

}  // namespace

void chain_append(const std::exception_ptr& error, Where place, const void* frame) noexcept {
  if (!header_is_known || !error) return;
  try {
    Chain& chain = find_or_make_chain(error);
    const std::lock_guard lock(chain);
    chain.append(place, frame);
  } catch (const std::bad_alloc&) {
    // A traceback that misses a line is better than an error that is lost.
  }
}

std::uint32_t chain_length(const std::exception_ptr& error) noexcept {
  Chain* const chain = find_chain(error);
  if (!chain) return 0;
  const std::lock_guard lock(*chain);
  return chain->length();
}

Where chain_innermost(const std::exception_ptr& error) noexcept {
  Chain* const chain = find_chain(error);
  if (!chain) return nullptr;
  const std::lock_guard lock(*chain);
  return chain->length() > 0 ? *chain->begin() : nullptr;
}

void chain_truncate(const std::exception_ptr& error, std::uint32_t length) noexcept {
  Chain* const chain = find_chain(error);
  if (!chain) return;
  const std::lock_guard lock(*chain);
  chain->truncate(length);
}

void chain_copy(const std::exception_ptr& from, const std::exception_ptr& to) noexcept {
  if (!header_is_known || !to) return;
  try {
    const std::vector<Where> places = chain_places(from);
    Chain& chain = find_or_make_chain(to);
    const std::lock_guard lock(chain);
    for (Where place : places) chain.add(place);
  } catch (const std::bad_alloc&) {
  }
}

std::vector<Where> chain_places(const std::exception_ptr& error) {
  Chain* const chain = find_chain(error);
  if (!chain) return {};
  const std::lock_guard lock(*chain);
  return std::vector<Where>(chain->begin(), chain->end());  // braces would list the two pointers
}

}  // namespace asyncio::inline v0::detail
