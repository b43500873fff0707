// FrameEntry: one line of a traceback.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace asyncio::inline v0 {

/// A coroutine, and the line of its co_await that was being waited at or crossed.
struct FrameEntry {
  std::string function;
  std::string file;
  int line = 0;
};

}  // namespace asyncio::inline v0
