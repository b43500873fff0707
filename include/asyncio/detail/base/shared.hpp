// A value with a count: copies share it, the last one frees it, from any thread.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>

#include <utility>

namespace asyncio::inline v0::detail {

/// std::shared_ptr without <memory>, which is heavy. Null when default-constructed.
template <class T>
class Shared {
 public:
  Shared() noexcept = default;
  template <class... Args>
  static Shared make(Args&&... args) {
    Shared shared;
    shared.box_ = new Box{1, T(std::forward<Args>(args)...)};
    return shared;
  }
  Shared(const Shared& other) noexcept : box_(other.box_) {
    if (box_) __atomic_add_fetch(&box_->count, 1, __ATOMIC_RELAXED);
  }
  Shared(Shared&& other) noexcept : box_(taken(other.box_)) {}
  Shared& operator=(Shared other) noexcept {
    swap_plain(box_, other.box_);
    return *this;
  }
  ~Shared() {
    if (box_ && __atomic_sub_fetch(&box_->count, 1, __ATOMIC_ACQ_REL) == 0) delete box_;
  }

  explicit operator bool() const noexcept { return box_ != nullptr; }
  T& operator*() const noexcept { return box_->value; }
  T* operator->() const noexcept { return &box_->value; }

 private:
  struct Box {
    unsigned count;
    T value;
  };

  Box* box_ = nullptr;
};

}  // namespace asyncio::inline v0::detail
