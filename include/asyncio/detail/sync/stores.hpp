// Where a queue keeps its items: a ring, a heap or a stack.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>
#include <asyncio/detail/base/taken.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

namespace asyncio::inline v0::detail {

/// First in, first out. A store that was moved from is empty. A push() or pop() that throws leaves
/// it as it was; pop() makes an optional or the like from the item where that is asked for.
template <class T>
class Ring {
 public:
  Ring() = default;
  Ring(Ring&& other) noexcept
      : slots_(std::move(other.slots_)), first_(other.first_), size_(other.size_) {
    other.first_ = 0;
    other.size_ = 0;
  }
  Ring& operator=(Ring&&) = delete;
  ~Ring() {
    for (std::size_t i = 0; i < size_; ++i) at(i).~T();
  }

  std::size_t size() const noexcept { return size_; }
  void push(T&& item) {
    if (size_ == slots_.size()) [[unlikely]] grow();
    ::new (static_cast<void*>(__builtin_addressof(at(size_)))) T(std::move(item));
    ++size_;
  }
  template <class Made = T>
  Made pop() {
    T& first = at(0);
    Made item(std::move(first));
    first.~T();
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
    return item;
  }

 private:
  union Slot {
    Slot() noexcept {}
    ~Slot() {}
    T item;
  };

  T& at(std::size_t i) noexcept { return slots_[(first_ + i) & (slots_.size() - 1)].item; }

  // If a move throws, everything stays where it was, provided that T can be copied.
  void grow() {
    Ring larger;
    larger.slots_ = std::vector<Slot>(slots_.empty() ? 8 : 2 * slots_.size());
    for (; larger.size_ < size_; ++larger.size_) {
      ::new (static_cast<void*>(__builtin_addressof(larger.at(larger.size_))))
          T(std::move_if_noexcept(at(larger.size_)));
    }
    slots_.swap(larger.slots_);
    swap_plain(first_, larger.first_);
  }

  std::vector<Slot> slots_;  // a power of two of them, or none
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

/// The least first; of equal ones, the first that came. What a Compare that throws has begun is
/// undone.
template <class T, class Compare>
class Heap {
 public:
  Heap() = default;
  Heap(Compare compare) : compare_(std::move(compare)) {}  // implicit: a queue is given one

  std::size_t size() const noexcept { return nodes_.size(); }
  void push(T&& item) {
    nodes_.push_back(Node{std::move(item), ++pushed_});
    const std::size_t last = nodes_.size() - 1;
    std::size_t at = last;
    try {
      // Equal ones were there before it.
      while (at > 0 && compare(at, parent(at))) {
        swap(at, parent(at));
        at = parent(at);
      }
    } catch (...) {
      lower(at, last);
      nodes_.pop_back();
      throw;
    }
  }
  template <class Made = T>
  Made pop() {
    Made item = least<Made>();
    nodes_.pop_back();
    return item;
  }

 private:
  struct Node {
    T item;
    std::uint64_t number;
  };

  static std::size_t parent(std::size_t at) noexcept { return (at - 1) / 2; }

  // The root changes places with the last node, which sinks. What throws is undone.
  template <class Made>
  Made least() {
    const std::size_t last = nodes_.size() - 1;
    std::size_t at = 0;
    swap(0, last);
    try {
      for (;;) {
        std::size_t child = 2 * at + 1;
        if (child >= last) break;
        if (child + 1 < last && before(child + 1, child)) ++child;
        if (!before(child, at)) break;
        swap(child, at);
        at = child;
      }
      return Made(std::move(nodes_[last].item));
    } catch (...) {
      lift(at);
      swap(0, last);
      throw;
    }
  }
  // A node goes up to the root, or down to one below it; those on the way move by one.
  ASYNCIO_COLD void lift(std::size_t at) {
    for (; at > 0; at = parent(at)) swap(at, parent(at));
  }
  ASYNCIO_COLD void lower(std::size_t at, std::size_t below) {
    for (; below != at; below = parent(below)) swap(below, at);
  }
  bool compare(std::size_t a, std::size_t b) const {
    return compare_(nodes_[a].item, nodes_[b].item);
  }
  ASYNCIO_INLINE bool before(std::size_t a, std::size_t b) const {
    if (compare(a, b)) return true;
    if (compare(b, a)) return false;
    return nodes_[a].number < nodes_[b].number;
  }
  ASYNCIO_INLINE void swap(std::size_t a, std::size_t b) {
    using std::swap;
    swap(nodes_[a].item, nodes_[b].item);
    swap(nodes_[a].number, nodes_[b].number);
  }

  std::vector<Node> nodes_;
  std::uint64_t pushed_ = 0;
  [[no_unique_address]] Compare compare_;
};

/// Last in, first out.
template <class T>
class Stack {
 public:
  std::size_t size() const noexcept { return items_.size(); }
  void push(T&& item) { items_.push_back(std::move(item)); }
  template <class Made = T>
  Made pop() {
    Made item(std::move(items_.back()));
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T> items_;
};

}  // namespace asyncio::inline v0::detail
