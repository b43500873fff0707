// What a thread that runs a loop has at hand: the current task, the loop, the transfer budget.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

#include <coroutine>

namespace asyncio::inline v0::detail {

struct ContextSlot;
struct LoopBase;
struct PromiseBase;
struct TaskState;

/// One per thread; no frame holds its task, and no task its thread.
struct ThreadState {
  TaskState* task = nullptr;            // the task whose code runs now
  LoopBase* loop = nullptr;             // the loop that runs in this thread
  int budget = 0;                       // transfers left before the bounce, see transfer()
  int eager_depth = 0;                  // eager starts that are on the native stack [R115]
  std::coroutine_handle<> next{};       // where the bounce goes on
  PromiseBase* finished = nullptr;      // the root frame that has just ended
  const void* torn = nullptr;           // the frame that tear-down has just destroyed
  ContextSlot* context = nullptr;  // the context of a callback; null: the task's or the thread's
};

extern constinit thread_local ThreadState thread_state ASYNCIO_API
    __attribute__((tls_model("initial-exec")));

/// From one coroutine to another by symmetric transfer, which g++ below -O2 and the sanitizers
/// compile to a call: so only `transfer_budget` times in a row, then through the driver at the
/// bottom of the stack (docs/decisions/0005).
ASYNCIO_INLINE std::coroutine_handle<> transfer(std::coroutine_handle<> to) noexcept {
  ThreadState& thread = thread_state;
  if (--thread.budget > 0) [[likely]] return to;
  thread.next = to;
  return std::noop_coroutine();
}

/// 128 calls of two native frames each stay far below the smallest stack we promise (1 MiB, with
/// the frames of address sanitizer), and a bounce in 128 transfers is not measurable.
inline constexpr int transfer_budget = 128;

}  // namespace asyncio::inline v0::detail
