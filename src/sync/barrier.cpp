// Barrier: rounds that fill, complete or break.
// SPDX-License-Identifier: MIT
#include <asyncio/sync.hpp>

#include <asyncio/exceptions.hpp>

#include <stdexcept>

namespace asyncio::inline v0 {

namespace {

std::size_t checked_parties(std::ptrdiff_t parties) {
  if (parties < 1) throw std::invalid_argument("Barrier: it needs at least one party");
  return static_cast<std::size_t>(parties);
}

}  // namespace

Barrier::Barrier(std::ptrdiff_t parties) : parties_(checked_parties(parties)) {}

void Barrier::reset() noexcept {
  broken_ = false;
  break_round();
}

void Barrier::abort() noexcept {
  broken_ = true;
  break_round();
}

// Wakes them without a number.
void Barrier::break_round() noexcept {
  waiting_ = 0;
  line_.wake_all();
}

// False: there are not enough yet. Who is woken has left the round, so the next one may begin.
bool Barrier::complete_round() noexcept {
  if (waiting_ + 1 < parties_) return false;
  waiting_ = 0;
  std::size_t index = 0;
  while (auto* const waiting = static_cast<Waiting*>(line_.wake_first())) {
    waiting->index_ = index++;
  }
  return true;
}

bool Barrier::Waiting::await_ready() noexcept {
  if (barrier_.broken_) return true;
  if (!barrier_.complete_round()) return false;
  index_ = barrier_.parties_ - 1;
  return true;
}

void Barrier::Waiting::await_suspend(std::coroutine_handle<> frame) {
  enter();
  ++barrier_.waiting_;
  detail::stand(*this, frame);
}

bool Barrier::Waiting::cancel(detail::CancelRequest& request) noexcept {
  if (waits()) --barrier_.waiting_;
  return LineWait::cancel(request);
}

void Barrier::Waiting::leave() noexcept {
  if (waits()) --barrier_.waiting_;
  LineWait::leave();
}

void Barrier::Waiting::throw_broken() {
  throw BrokenBarrierError("Barrier::wait: the barrier was reset or aborted");
}

}  // namespace asyncio::inline v0
