// What a forked child is told: that it is one, and that the loop it comes from is not its own.
// SPDX-License-Identifier: MIT
#include "core/fork.hpp"

#include "core/loop.hpp"

#include <pthread.h>

namespace asyncio::inline v0::detail {

constinit volatile unsigned fork_count = 0;

namespace {

void in_the_child() noexcept {
  fork_count = fork_count + 1;
  if (LoopBase* const loop = thread_state.loop) loop_of(*loop).leave_to_parent();
}

}  // namespace

unsigned forks_so_far() noexcept {
  static const int watching = ::pthread_atfork(nullptr, nullptr, &in_the_child);
  static_cast<void>(watching);
  return fork_count;
}

Loop* running_here() noexcept {
  LoopBase* const loop = thread_state.loop;
  return loop && !loop_of(*loop).in_forked_child() ? &loop_of(*loop) : nullptr;
}

}  // namespace asyncio::inline v0::detail
