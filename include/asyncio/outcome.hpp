// Outcome<T>: how something ended: with a value, an exception or a cancellation.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>
#include <asyncio/detail/core/promise.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {

ASYNCIO_API bool outcome_is_cancelled(const std::exception_ptr& error) noexcept;

/// How a T is kept inside optional, tuple, vector and variant.
struct Monostate {};
template <class T>
struct OutcomeValue {
  using type = T;
};
template <class T>
struct OutcomeValue<T&> {
  using type = T*;
};
template <>
struct OutcomeValue<void> {
  using type = Monostate;
};

}  // namespace detail

/// How a task or a body ended, as a value that can be kept and looked at.
///
///     auto outcome = co_await task.join();
///     if (outcome.has_value()) use(outcome.value());
///
/// Python:  what gather(return_exceptions=True) puts into its list.
template <class T = void>
class Outcome {
  static_assert(!std::is_same_v<std::remove_cv_t<T>, std::exception_ptr>,
                "asyncio: an Outcome keeps its error as a std::exception_ptr, so that its value "
                "cannot be one; put it into a struct");

 public:
  /// A value; for void, simply Outcome<>{}.
  template <class... Args>
    requires(std::is_constructible_v<typename detail::OutcomeValue<T>::type, Args...> &&
             !(sizeof...(Args) == 1 &&
               (std::is_same_v<std::remove_cvref_t<Args>, std::exception_ptr> && ...)) &&
             !(sizeof...(Args) == 1 &&
               (std::is_same_v<std::remove_cvref_t<Args>, Outcome> && ...)))
  explicit(sizeof...(Args) != 1) Outcome(Args&&... args)
      : value_(std::in_place, std::forward<Args>(args)...) {}
  /// An exception; a CancelledError makes it a cancellation.
  explicit Outcome(std::exception_ptr error) noexcept : error_(std::move(error)) {}

  bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  bool cancelled() const noexcept { return error_ && detail::outcome_is_cancelled(error_); }
  /// Null for a value, a CancelledError for a cancellation.
  std::exception_ptr exception() const noexcept { return error_; }

  /// Throws what it ended with, unless that is a value.
  decltype(auto) value() const& {
    check();
    return read(*this);
  }
  decltype(auto) value() & {
    check();
    return read(*this);
  }
  T value() && {
    check();
    if constexpr (std::is_reference_v<T>) return **value_;
    else if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 private:
  void check() const {
    if (error_) std::rethrow_exception(error_);
  }
  template <class Self>
  static decltype(auto) read(Self& self) {
    if constexpr (std::is_reference_v<T>) return static_cast<T>(**self.value_);
    else if constexpr (!std::is_void_v<T>) return (*self.value_);
  }

  std::optional<typename detail::OutcomeValue<T>::type> value_;
  std::exception_ptr error_;
};

}  // namespace asyncio::inline v0
