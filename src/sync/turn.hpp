// A wait in line that leaves it to the waiter what a cancellation means.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/sync/wait_line.hpp>

namespace asyncio::inline v0::detail {

/// How a wait in line ended; both may be true.
struct Ending {
  bool cancelled;
  bool has_turn;
};

class Turn : public LineWait {
 public:
  using LineWait::LineWait;
  bool await_ready() const noexcept { return false; }
  Ending await_resume() {
    const bool cancelled = leave_cancelled();
    return {cancelled, has_turn()};
  }
};

}  // namespace asyncio::inline v0::detail
