// Who is in line, who is woken, who leaves.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/sync/wait_line.hpp>

#include <asyncio/exceptions.hpp>

namespace asyncio::inline v0::detail {

void WaitLine::check_loop() const {
  if (loop_ != 0 && loop_ != thread_state.loop->number) {
    throw RuntimeError("co_await: this lock, queue or the like belongs to another loop");
  }
}

void WaitLine::admit(LineWait& wait) {
  const std::uint64_t here = thread_state.loop->number;
  if (loop_ != here) [[unlikely]] {
    check_loop();
    loop_ = here;
  }
  waiting_.append(wait);
}

LineWait& WaitLine::wake() noexcept {
  auto& first = static_cast<LineWait&>(*waiting_.following);
  first.unlink();
  woken_.append(first);
  first.woken_ = true;
  make_ready(*first.task);
  return first;
}

void WaitLine::wake_all() noexcept {
  while (wake_first()) {
  }
}

// Who was woken before knows it; who waits is made ready without having been.
void WaitLine::dissolve() noexcept {
  for (RingNode* const ring : {&woken_, &waiting_}) {
    while (!ring->alone()) {
      auto& first = static_cast<LineWait&>(*ring->following);
      first.unlink();
      first.line_ = nullptr;
      if (!first.woken_) make_ready(*first.task);
    }
  }
}

bool LineWait::cancel(CancelRequest&) noexcept {
  unlink();
  return false;
}

void LineWait::leave() noexcept { unlink(); }

void LineWait::throw_dissolved() {
  throw RuntimeError("what this task waited for, a lock, queue or the like, was destroyed");
}

}  // namespace asyncio::inline v0::detail
