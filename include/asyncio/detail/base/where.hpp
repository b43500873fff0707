// Where a coroutine stands: the place of its co_await, one word; once it has failed, its error.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

#include <cstdint>
#include <exception>
#include <new>
#include <source_location>

namespace asyncio::inline v0::detail {

/// What __builtin_source_location() gives: a pointer to static data, so it costs one store. A
/// std::source_location as a default argument would be a class temporary that g++ 12 keeps in the
/// coroutine's frame, 16 bytes per await.
using Where = const void*;

/// A frame that has failed stands nowhere any more, so its error takes the place's word: that a
/// frame can fail costs it no room.
class Standing {
 public:
  Standing() = default;
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;
  ~Standing() {
    if (failed()) [[unlikely]] drop_error();
  }

  /// Before the first co_await it stands at the function itself.
  void at_beginning(Where function) noexcept {
    word_ = reinterpret_cast<std::uintptr_t>(function) | 2;  // places lie at multiples of 8
  }
  void at(Where place) noexcept { word_ = reinterpret_cast<std::uintptr_t>(place); }
  /// The co_await at which it stands, or stood last; null before the first one. Like
  /// place_or_function(), not for a frame that has failed.
  Where place() const noexcept { return word_ & 2 ? nullptr : reinterpret_cast<Where>(word_); }
  Where place_or_function() const noexcept {
    return reinterpret_cast<Where>(word_ & ~std::uintptr_t{2});
  }

  bool failed() const noexcept { return word_ & 1; }
  void fail(std::exception_ptr error) noexcept {
    __builtin_memcpy(&word_, &error, sizeof word_);
    ::new (&error) std::exception_ptr;  // its count is ours now
    word_ |= 1;  // exceptions lie at multiples of 16
  }
  /// Null unless it has failed.
  std::exception_ptr take_error() noexcept {
    std::exception_ptr error;
    if (!failed()) return error;
    word_ &= ~std::uintptr_t{1};
    __builtin_memcpy(static_cast<void*>(&error), &word_, sizeof word_);
    word_ = 0;
    return error;
  }

 private:
  static_assert(sizeof(std::exception_ptr) == sizeof(std::uintptr_t));

  ASYNCIO_API ASYNCIO_COLD void drop_error() noexcept;

  std::uintptr_t word_ = 0;
};

}  // namespace asyncio::inline v0::detail
