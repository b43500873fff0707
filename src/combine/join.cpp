// The engine of the combinators: who is waited for, who is cancelled, who is joined.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/combine/join.hpp>

#include <asyncio/exceptions.hpp>

#include <stdexcept>
#include <utility>

namespace asyncio::inline v0::detail {

JoinChild::JoinChild() noexcept = default;

JoinChild::~JoinChild() {
  if (set_) set_->forget(*this);
  if (is_set()) state().release();
}

void JoinChild::completed() noexcept { set_->child_done(*this); }

JoinSet::JoinSet(bool passes_cancel) noexcept : passes_cancel_(passes_cancel) {}

void JoinSet::begin(JoinChild& child) noexcept {
  child.set_ = this;
  ++pending_;
  if (child.owned()) ++pending_owned_;
  if (child.state().is_done()) child_done(child);
  else child.state().add_waiter(child);
}

void JoinSet::forget(JoinChild& child) noexcept {
  child.set_ = nullptr;
  child.state().remove_waiter(child);
  --pending_;
  if (child.owned()) --pending_owned_;
}

void JoinSet::forget_all() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (children_[i].set_) forget(children_[i]);
  }
}

void JoinSet::stop() noexcept {
  stopped_ = true;
  if (waiter_) make_ready(*std::exchange(waiter_, nullptr)->task);
}

void JoinSet::child_done(JoinChild& child) noexcept {
  child.set_ = nullptr;
  --pending_;
  if (child.owned()) --pending_owned_;
  any_done_ = true;
  if (!failed_ && (child.state().error || child.state().is_cancelled())) failed_ = &child;
  if (child.state().error && !child.state().is_cancelled()) any_exception_ = true;
  if (waiter_ && reached(waiter_->until_)) {
    make_ready(*std::exchange(waiter_, nullptr)->task);
  }
}

bool JoinSet::reached(Until until) const noexcept {
  if (pending_ == 0 || stopped_) return true;
  if (cancelled_ && passes_cancel_) return false;  // then everything is joined [R28]
  switch (until) {
    case Until::all:
      return false;
    case Until::owned:
      return pending_owned_ == 0;
    case Until::first_failure:
      return failed_ != nullptr;
    case Until::first_exception:
      return any_exception_;
    case Until::first_done:
      return any_done_;
    case Until::each:
      return pending_ < pending_before_;
  }
  return true;
}

void JoinSet::decide() noexcept {
  winner_ = 0;
  while (winner_ + 1 < count_ && !(children_[winner_].is_set() && !children_[winner_].set_)) {
    ++winner_;
  }
}

void JoinSet::cancel_owned() noexcept {
  CancelRequest request({});
  for (std::size_t i = 0; i < count_; ++i) {
    if (children_[i].set_ && children_[i].owned()) request.add(children_[i].state());
  }
}

void JoinSet::cancel_all() noexcept {
  CancelRequest request({});
  for (std::size_t i = 0; i < count_; ++i) {
    if (children_[i].set_) request.add(children_[i].state());
  }
}

void JoinSet::silence() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (children_[i].is_set()) children_[i].state().set(ResultState::seen);
  }
}

// ---- waiting

bool JoinSet::Wait::cancel(CancelRequest& request) noexcept {
  JoinSet& set = set_;  // a future that is cancelled at once may end the wait, not the set
  set.cancelled_ = true;
  bool passed = set.pending_owned_ > 0;
  if (set.passes_cancel_) {
    for (std::size_t i = 0; i < set.count_; ++i) {
      JoinChild& child = set.children_[i];
      if (child.set_ && request.add(child.state())) passed = true;
    }
  }
  if (passed && set.passes_cancel_) return true;
  leave();
  return false;
}

TaskState* JoinSet::Wait::awaited() const noexcept {
  if (!set_.passes_cancel_) return nullptr;
  for (std::size_t i = 0; i < set_.count_; ++i) {
    const JoinChild& child = set_.children_[i];
    if (child.set_ && child.state().kind == ReadyNode::Kind::task) {
      return static_cast<TaskState*>(&child.state());
    }
  }
  return nullptr;
}

void JoinSet::Wait::leave() noexcept { set_.waiter_ = nullptr; }

void JoinSet::Wait::await_resume() noexcept {
  if (task && task->take_cancel()) set_.cancelled_ = true;
}

// ---- the whole way

Coro<> join_children(JoinSet& set, JoinPlan plan, ChildStarter& starter) {
  using Until = JoinSet::Until;
  set.watch(plan.children, plan.count);
  const auto over = [&] {
    return set.cancelled() || (plan.until == Until::first_failure && set.failed()) ||
           (plan.until == Until::first_done && set.any_done());
  };
  std::exception_ptr trouble;  // a child could not be started
  for (std::size_t next = 0; next < plan.count && !trouble && !over();) {
    if (set.pending() >= plan.limit) {
      co_await set.wait(Until::each);
      continue;
    }
    try {
      starter.start(next, plan.children[next]);
    } catch (...) {
      trouble = std::current_exception();
      break;
    }
    set.begin(plan.children[next++]);
  }
  if (!trouble && !over()) co_await set.wait(plan.until);
  set.decide();
  while (set.pending_owned() > 0 || (set.cancelled() && set.pending() > 0)) {
    if (set.cancelled()) {  // while it was on its way back: the children do not know yet
      set.cancel_all();
      co_await set.wait(Until::all);
    } else {
      set.cancel_owned();
      co_await set.wait(Until::owned);
    }
  }
  // Errors of children that are not told here are reported, as of any task that nobody asks.
  if (set.cancelled()) raise_cancelled();
  if (trouble) asyncio_raise(give_up(std::move(trouble)));
  if (plan.until == Until::first_failure && set.failed()) {
    set.silence();  // the later ones of a gather [R26]
    asyncio_raise(give_up(set.failed()->state().take_failure()));
  }
}

void throw_empty_race() {
  throw std::invalid_argument("race: an empty range has no winner");
}

}  // namespace asyncio::inline v0::detail
