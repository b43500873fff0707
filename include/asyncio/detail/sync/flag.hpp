// Something that is so or not, and who waits until it is.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/sync/wait_line.hpp>

namespace asyncio::inline v0::detail {

class Flag {
 public:
  explicit Flag(bool is_set) noexcept : set_(is_set) {}

  void set() noexcept {
    set_ = true;
    line_.wake_all();
  }
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

 private:
  friend class FlagWait;

  WaitLine line_;
  bool set_;
};

class [[nodiscard]] FlagWait : public LineWait {
 public:
  explicit FlagWait(Flag& flag) noexcept : LineWait(flag.line_), flag_(flag) {}

  bool await_ready() const noexcept { return flag_.is_set(); }
  ASYNCIO_INLINE void await_resume() {
    if (task && leave_served()) [[unlikely]] raise_cancelled();
  }

 private:
  const Flag& flag_;
};

}  // namespace asyncio::inline v0::detail
