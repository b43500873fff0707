// Timeout: a request to end that is taken back at the scope's edge.
// SPDX-License-Identifier: MIT
#include <asyncio/timeout.hpp>

#include <asyncio/detail/core/callback.hpp>

#include "core/chain.hpp"
#include "core/loop.hpp"
#include "core/traceback.hpp"

namespace asyncio::inline v0 {

using detail::Ticks;

namespace detail {

/// The end of time on its way through the ready queue, where it keeps its place like any timer's
/// callback: what was due before it goes first, be it the very result that the body awaits.
struct Expiry final : CallbackNode {
  explicit Expiry(Timeout& of) noexcept : CallbackNode(*of.task_->loop), timeout(&of) {
    set(internal);
  }
  void call() override {
    if (timeout) timeout->expire();
  }
  void drop_callable() noexcept override { forget(); }
  void forget() noexcept {
    if (timeout) timeout->expiry_ = nullptr;
    timeout = nullptr;
  }
  Timeout* timeout;  // null: the body has ended, or was given more time
};

}  // namespace detail

Timeout::~Timeout() { disarm(); }

// A limit that has passed already cuts even a wait of a single turn [R42].
void Timeout::arm(Ticks when) {
  if (when <= detail::loop_of(*task_->loop).latest_now) fire();
  else if (when != detail::never) detail::arm_timer(*task_->loop, *this, when);
  when_ = when;
}

void Timeout::disarm() noexcept {
  if (armed()) {
    detail::disarm_timer(*task_->loop, *this);
    place.kind = Kind::call;
  }
  if (expiry_) expiry_->forget();
}

std::optional<Timeout::time_point> Timeout::when() const noexcept {
  if (when_ == detail::never) return std::nullopt;
  return time_point(time_point::duration(when_));
}

void Timeout::enter(Ticks when) {
  task_ = detail::thread_state.task;
  if (!task_) throw RuntimeError("timeout: needs a task; give the coroutine to create_task()");
  requests_on_entry_ = task_->requests;
  state_ = State::active;
  arm(when);
}

void Timeout::reschedule(detail::Deadline when) {
  switch (state_) {
    case State::active:
      break;
    case State::created:
      throw RuntimeError("Timeout::reschedule: the timeout has not begun");
    case State::expiring:
    case State::expired:
      throw RuntimeError("Timeout::reschedule: the time is up already");
    case State::ended:
      throw RuntimeError("Timeout::reschedule: the body has ended");
  }
  const Ticks ticks = when.ticks();
  // The loop that runs is the task's; to ask the task would be a way into far memory.
  detail::LoopBase* const running = detail::thread_state.loop;
  detail::Loop& loop = detail::loop_of(running ? *running : *task_->loop);
  if (loop.debug) detail::loop_of(*task_->loop).check_thread("Timeout::reschedule");
  // What has passed is known to have passed; what is far ahead need not be asked about.
  constexpr Ticks far_ahead = 1'000'000'000;
  if (ticks < loop.latest_now + far_ahead) static_cast<void>(detail::loop_now(loop));
  // A limit that is moved whenever there is progress is moved far more often than it passes: the
  // heap, and all memory but this, is left alone until the limit it knows has come.
  if (armed() && ticks >= when_ && ticks > loop.latest_now && ticks != detail::never) {
    place.kind = Kind::postponed;
    order_ = loop.timers.next_order();
    when_ = ticks;
    return;
  }
  disarm();
  arm(ticks);
}

void Timeout::fire() noexcept {
  try {
    expiry_ = new detail::Expiry(*this);
  } catch (const std::bad_alloc&) {
    return expire();
  }
  task_->loop->ready.push(*expiry_);
}

void Timeout::expire() noexcept {
  state_ = State::expiring;
  detail::cancel_task(*task_, {});
}

// As asyncio's: the request is taken back in any case, and the error is ours if no other request
// came since the entry.
bool Timeout::leave(const std::exception_ptr& error) noexcept {
  disarm();
  if (state_ != State::expiring) {
    state_ = State::ended;
    return false;
  }
  state_ = State::expired;
  const auto left = static_cast<std::uint32_t>(task_->uncancel());
  return left <= requests_on_entry_ && detail::is_cancellation(error);
}

namespace detail {

std::uint32_t TimeoutAccess::requests_of_caller() noexcept { return thread_state.task->requests; }

Raised timeout_error(std::exception_ptr cut) {
  std::exception_ptr error = std::make_exception_ptr(TimeoutError());
  chain_copy(cut, error);
  return give_up(std::move(error));
}

}  // namespace detail
}  // namespace asyncio::inline v0
