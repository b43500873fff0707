// Limit: how long something may take, or that it may take for ever.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/timer.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace asyncio::inline v0 {

namespace detail {

[[noreturn]] ASYNCIO_API void throw_not_a_number();

constexpr std::intmax_t common_divisor(std::intmax_t a, std::intmax_t b) noexcept {
  while (b) {
    const std::intmax_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

__extension__ typedef __int128 Wide;

/// Nanoseconds, rounded up so that nothing is early; what does not fit is never, or long ago.
template <class Rep, class Period>
constexpr Ticks ticks_of(std::chrono::duration<Rep, Period> duration) {
  // By hand: std::chrono's own conversions and comparisons are many templates.
  constexpr std::intmax_t common = common_divisor(std::nano::den, Period::den);
  constexpr std::intmax_t num = Period::num * (std::nano::den / common);
  constexpr std::intmax_t den = Period::den / common;
  const long double nanos = static_cast<long double>(duration.count()) * num / den;
  if constexpr (std::is_floating_point_v<Rep>) {
    if (nanos != nanos) throw_not_a_number();
  }
  if (nanos >= 9.2e18L) return never;
  if (nanos <= -9.2e18L) return -never;
  if constexpr (std::is_floating_point_v<Rep>) {
    const auto whole = static_cast<Ticks>(nanos);
    return whole + (static_cast<long double>(whole) < nanos ? 1 : 0);
  } else {
    // Where there is a division, what is divided may be larger than the result.
    using Count = std::conditional_t<std::is_integral_v<Rep> && den != 1, Wide,
                                     std::common_type_t<Rep, std::intmax_t>>;
    const Count scaled = static_cast<Count>(duration.count()) * static_cast<Count>(num);
    const Count whole = scaled / static_cast<Count>(den);
    return static_cast<Ticks>(whole) + (whole * static_cast<Count>(den) < scaled ? 1 : 0);
  }
}

constexpr Ticks ticks_of(std::chrono::nanoseconds duration) noexcept {
  return duration.count() == std::chrono::nanoseconds::max().count() ? never : duration.count();
}

}  // namespace detail

/// A time limit: any std::chrono::duration, or std::nullopt for none.
///
/// Throws:  std::invalid_argument for a floating-point duration that is not a number.
class Limit {
 public:
  constexpr Limit() noexcept = default;
  constexpr Limit(std::nullopt_t) noexcept {}  // NOLINT: converting on purpose
  template <class Rep, class Period>
  constexpr Limit(std::chrono::duration<Rep, Period> duration)  // NOLINT: converting on purpose
      : ticks_(detail::ticks_of(duration)) {}
  template <class Rep, class Period>
  constexpr Limit(std::optional<std::chrono::duration<Rep, Period>> duration)  // NOLINT
      : ticks_(duration ? detail::ticks_of(*duration) : detail::never) {}

  constexpr bool has_value() const noexcept { return ticks_ != detail::never; }
  constexpr detail::Ticks ticks() const noexcept { return ticks_; }

 private:
  detail::Ticks ticks_ = detail::never;
};

}  // namespace asyncio::inline v0
