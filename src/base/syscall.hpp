// System calls that throw: what was attempted, on what, and why it failed.
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace asyncio::inline v0::detail {

/// `result` if it is not negative.
/// Throws:  std::system_error with errno and `attempt`.
template <class Result>
Result require(Result result, const char* attempt) {
  const int why = errno;  // before anything else can change it
  if (result >= 0) return result;
  throw std::system_error(why, std::generic_category(), attempt);
}

}  // namespace asyncio::inline v0::detail
