// How a T is kept where a standard template holds it.
// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>  // brings std::reference_wrapper without the weight of <functional>

namespace asyncio::inline v0::detail {

template <class T>
struct InStd {
  using type = T;
};
template <class T>
struct InStd<T&> {
  using type = std::reference_wrapper<T>;
};
template <>
struct InStd<void> {
  using type = std::monostate;
};

/// T in a tuple, vector, optional or variant: references wrapped, void as std::monostate.
template <class T>
using ValueInStd = typename InStd<T>::type;

}  // namespace asyncio::inline v0::detail
