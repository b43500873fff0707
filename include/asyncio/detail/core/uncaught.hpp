// What both doors into the loop, run() and testing::run(), share on their way in and out.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

namespace asyncio::inline v0::detail {

/// While one lives in a thread, an error that nobody catches is printed before the process ends.
class ASYNCIO_API Rethrowing {
 public:
  Rethrowing() noexcept;
  Rethrowing(const Rethrowing&) = delete;
  Rethrowing& operator=(const Rethrowing&) = delete;
  ~Rethrowing();
};

/// True if the environment has ASYNCIO_DEBUG=1.
ASYNCIO_API bool debug_by_default() noexcept;

}  // namespace asyncio::inline v0::detail
