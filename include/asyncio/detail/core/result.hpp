// Room for a result: a value, a reference or nothing.
// SPDX-License-Identifier: MIT
#pragma once

#include <new>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

/// Holds at most one T. A reference is kept as a pointer.
template <class T>
class Result {
  static_assert(std::is_object_v<T> && !std::is_array_v<T>,
                "asyncio: a coroutine returns an object, a reference or void");
  // g++ 12 places over-aligned members of a frame wrongly, so their room is elsewhere.
  static constexpr bool boxed = alignof(T) > 16;
  using Room = std::conditional_t<boxed, T*, T>;

 public:
  Result() noexcept {}
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  ~Result() { reset(); }
  ~Result()
    requires(!boxed && std::is_trivially_destructible_v<T>)
  = default;

  template <class U>
  void emplace(U&& value) {
    if constexpr (boxed) room_ = new T(std::forward<U>(value));
    else ::new (static_cast<void*>(__builtin_addressof(room_))) T(std::forward<U>(value));
    has_ = true;
  }
  bool has() const noexcept { return has_; }
  T& get() noexcept {
    if constexpr (boxed) return *room_;
    else return room_;
  }
  T take() { return std::move(get()); }
  void reset() noexcept {
    if (!has_) return;
    has_ = false;
    if constexpr (boxed) delete room_;
    else room_.~T();
  }

 private:
  union {
    Room room_;
  };
  bool has_ = false;
};

template <class T>
class Result<T&> {
 public:
  void emplace(T& value) noexcept { value_ = __builtin_addressof(value); }
  bool has() const noexcept { return value_ != nullptr; }
  T& get() noexcept { return *value_; }
  T& take() noexcept { return *value_; }
  void reset() noexcept { value_ = nullptr; }

 private:
  T* value_ = nullptr;
};

template <>
class Result<void> {
 public:
  void emplace() noexcept {}
  bool has() const noexcept { return true; }
  void get() noexcept {}
  void take() noexcept {}
  void reset() noexcept {}
};

}  // namespace asyncio::inline v0::detail
