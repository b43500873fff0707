// Limit: how long something may take, or that it may take for ever.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/timer.hpp>

#include <chrono>
#include <optional>
#include <type_traits>

namespace asyncio::inline v0 {

namespace detail {

[[noreturn]] ASYNCIO_API void throw_not_a_number();

/// Nanoseconds, rounded up so that nothing is early; what does not fit is never, or long ago.
template <class Rep, class Period>
constexpr Ticks ticks_of(std::chrono::duration<Rep, Period> duration) {
  if constexpr (std::is_floating_point_v<Rep>) {
    const long double exact =
        std::chrono::duration<long double, std::nano>(duration).count();
    if (exact != exact) throw_not_a_number();
    if (exact >= 9.2e18L) return never;
    if (exact <= -9.2e18L) return -never;
    const auto whole = static_cast<Ticks>(exact);
    return whole + (static_cast<long double>(whole) < exact ? 1 : 0);
  } else {
    using Ratio = std::ratio_divide<Period, std::nano>;
    const auto count = static_cast<long double>(duration.count());
    const long double nanos = count * Ratio::num / Ratio::den;
    if (nanos >= 9.2e18L) return never;
    if (nanos <= -9.2e18L) return -never;
    return std::chrono::ceil<std::chrono::nanoseconds>(duration).count();
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

static_assert(std::is_trivially_destructible_v<Limit>);

}  // namespace asyncio::inline v0
