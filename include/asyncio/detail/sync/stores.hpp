// Where a queue keeps its items: a ring, a heap or a stack.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

namespace asyncio::inline v0::detail {

/// First in, first out. A store that was moved from is empty.
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
    ::new (static_cast<void*>(&at(size_))) T(std::move(item));
    ++size_;
  }
  T pop() {
    T& first = at(0);
    T item(std::move(first));
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
      ::new (static_cast<void*>(&larger.at(larger.size_)))
          T(std::move_if_noexcept(at(larger.size_)));
    }
    slots_.swap(larger.slots_);
    swap_plain(first_, larger.first_);
  }

  std::vector<Slot> slots_;  // a power of two of them, or none
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

/// The least first; of equal ones, the first that came. Items only ever change places, so that a
/// Compare that throws loses none.
template <class T, class Compare>
class Heap {
 public:
  Heap() = default;
  Heap(Compare compare) : compare_(std::move(compare)) {}  // implicit: a queue is given one

  std::size_t size() const noexcept { return nodes_.size(); }
  void push(T&& item) {
    nodes_.push_back(Node{std::move(item), ++pushed_});
    for (std::size_t at = nodes_.size() - 1; at > 0;) {
      const std::size_t parent = (at - 1) / 2;
      if (!before(at, parent)) break;
      swap(at, parent);
      at = parent;
    }
  }
  T pop() {
    swap(0, nodes_.size() - 1);
    sift_down(nodes_.size() - 1);
    T item(std::move(nodes_.back().item));
    nodes_.pop_back();
    return item;
  }

 private:
  struct Node {
    T item;
    std::uint64_t number;
  };

  // The first `size` nodes become a heap again after the root was replaced.
  void sift_down(std::size_t size) {
    for (std::size_t at = 0;;) {
      std::size_t child = 2 * at + 1;
      if (child >= size) return;
      if (child + 1 < size && before(child + 1, child)) ++child;
      if (!before(child, at)) return;
      swap(child, at);
      at = child;
    }
  }
  bool before(std::size_t a, std::size_t b) const {
    if (compare_(nodes_[a].item, nodes_[b].item)) return true;
    if (compare_(nodes_[b].item, nodes_[a].item)) return false;
    return nodes_[a].number < nodes_[b].number;
  }
  void swap(std::size_t a, std::size_t b) {
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
  T pop() {
    T item(std::move(items_.back()));
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T> items_;
};

}  // namespace asyncio::inline v0::detail
