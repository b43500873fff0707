// What g++ 12 destroys twice, so that whoever is given one can refuse it.
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

namespace asyncio::inline v0::detail {

// g++ 12 copies a temporary closure with an owning capture, or an aggregate with a destructor, bit
// by bit when it stands in one expression with co_await, and destroys it twice (docs/gcc12.md).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool breaks_temporaries = true;
#else
inline constexpr bool breaks_temporaries = false;
#endif

/// True for an aggregate of this kind. A parameter cannot tell a temporary from what was moved.
template <class T>
constexpr bool fragile_temporary =
    breaks_temporaries && std::is_aggregate_v<T> && !std::is_trivially_destructible_v<T>;

}  // namespace asyncio::inline v0::detail
