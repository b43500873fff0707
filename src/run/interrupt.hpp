// Ctrl-C and SIGTERM, from the kernel's handler to the loop's next callback [R74].
// SPDX-License-Identifier: MIT
#pragma once

#include "core/loop.hpp"

namespace asyncio::inline v0::detail {

/// Takes SIGINT (and SIGTERM) over while a main task runs: only on the main thread, only where the
/// disposition was the default one, and gives them back at the end.
///
///     signal | the loop turns                          | the loop has not turned for 1 s
///     first  | main is cancelled                       | (it may still do so later)
///     second | the loop stops before its next callback | the default disposition, raised again
///     third  | the default disposition, raised again   | the same
class Interrupts {
 public:
  Interrupts(Loop& loop, bool sigint, bool sigterm) noexcept;
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts();

  /// How many came so far.
  int count() const noexcept;
  /// The first one's number.
  int signal() const noexcept;

 private:
  bool take(int number) noexcept;
  void give_back(int number, bool taken) noexcept;

  bool took_sigint_ = false;
  bool took_sigterm_ = false;
};

}  // namespace asyncio::inline v0::detail
