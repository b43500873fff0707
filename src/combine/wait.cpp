// wait and as_completed: looking on while others' tasks end.
// SPDX-License-Identifier: MIT
#include <asyncio/wait.hpp>

#include <asyncio/shield.hpp>

#include "core/loop.hpp"

#include <memory>
#include <stdexcept>

namespace asyncio::inline v0::detail {
namespace {

// Ends a wait when the time is up.
struct Alarm final : CallTimer {
  explicit Alarm(JoinSet& which) noexcept : set(which) {}
  ~Alarm() {
    if (armed()) disarm_timer(*loop, *this);
  }
  void arm(Limit limit) {
    if (!limit.has_value()) return;
    loop = &require_loop();
    arm_timer(*loop, *this, later(loop_now(*loop), limit.ticks()));
  }
  void fire() noexcept override { set.stop(); }

  JoinSet& set;
  LoopBase* loop = nullptr;
};

}  // namespace

Coro<> wait_children(JoinChild* children, std::size_t count, Limit timeout,
                     ReturnWhen return_when) {
  JoinSet set(false);
  set.watch(children, count);
  for (std::size_t i = 0; i < count; ++i) set.begin(children[i]);
  Alarm alarm(set);
  alarm.arm(timeout);
  switch (return_when) {
    case ReturnWhen::first_completed:
      co_await set.wait(JoinSet::Until::first_done);
      break;
    case ReturnWhen::first_exception:
      co_await set.wait(JoinSet::Until::first_exception);
      break;
    case ReturnWhen::all_completed:
      co_await set.wait(JoinSet::Until::all);
      break;
  }
  set.forget_all();
  if (set.cancelled()) raise_cancelled();
}

void throw_nothing_to_wait_for() {
  throw std::invalid_argument("wait: the range of tasks is empty");
}

// ---- as_completed

class AsCompletedQueue {
 public:
  // Stands in a task's line and keeps its place in the order of completion.
  struct Entry final : Completion {
    AsCompletedQueue* queue = nullptr;
    ResultState* state = nullptr;  // counted
    std::ptrdiff_t next = -1;      // the entry that ended after this one
    bool done = false;

    void completed() noexcept override { queue->ended(*this); }
  };

  AsCompletedQueue(std::size_t count, Limit timeout) : loop_(require_loop()) {
    entries_ = std::make_unique<Entry[]>(count);
    if (timeout.has_value()) deadline_ = later(loop_now(loop_), timeout.ticks());
  }
  AsCompletedQueue(const AsCompletedQueue&) = delete;
  AsCompletedQueue& operator=(const AsCompletedQueue&) = delete;
  ~AsCompletedQueue() {
    for (std::size_t i = 0; i < count_; ++i) {
      Entry& entry = entries_[i];
      if (!entry.done) entry.state->remove_waiter(entry);
      entry.state->release();
    }
    if (something_) something_->release();
  }

  void add(ResultState& state) noexcept {
    Entry& entry = entries_[count_++];
    entry.queue = this;
    entry.state = &state;
    state.retain();
    if (state.is_done()) ended(entry);
    else state.add_waiter(entry);
  }

  std::ptrdiff_t take() noexcept {
    const std::ptrdiff_t index = first_;
    if (index >= 0) {
      first_ = at(index).next;
      if (first_ < 0) last_ = -1;
      ++given_;
    }
    return index;
  }
  bool exhausted() const noexcept { return given_ == count_; }
  Ticks deadline() const noexcept { return deadline_; }
  LoopBase& loop() const noexcept { return loop_; }

  /// A future that is done when something has ended. All who ask share it: shield it.
  Future<> something() {
    if (!something_ || something_->is_done()) {
      auto* const future = new FutureOf<void>(loop_);
      if (something_) something_->release();
      something_ = future;
    }
    return HandleAccess::retain<Future<>>(*something_);
  }

 private:
  Entry& at(std::ptrdiff_t index) noexcept { return entries_[static_cast<std::size_t>(index)]; }

  void ended(Entry& entry) noexcept {
    entry.done = true;
    const std::ptrdiff_t index = &entry - entries_.get();
    if (last_ >= 0) at(last_).next = index;
    else first_ = index;
    last_ = index;
    if (something_ && !something_->is_done()) set_done(*something_);
  }

  LoopBase& loop_;
  std::unique_ptr<Entry[]> entries_;
  std::size_t count_ = 0;
  std::size_t given_ = 0;
  std::ptrdiff_t first_ = -1;
  std::ptrdiff_t last_ = -1;
  FutureOf<void>* something_ = nullptr;
  Ticks deadline_ = never;
};

AsCompletedBase::AsCompletedBase(std::size_t count, Limit timeout)
    : queue_(new AsCompletedQueue(count, timeout)) {}
AsCompletedBase::~AsCompletedBase() { delete queue_; }
void AsCompletedBase::add(ResultState& state) { queue_->add(state); }

Coro<std::ptrdiff_t> AsCompletedBase::next_index() {
  AsCompletedQueue& queue = *queue_;
  for (;;) {
    if (queue.exhausted()) co_return -1;
    if (const std::ptrdiff_t index = queue.take(); index >= 0) co_return index;
    const Ticks left =
        queue.deadline() == never ? never : queue.deadline() - loop_now(queue.loop());
    if (left <= 0) throw TimeoutError();
    if (left == never) co_await shield(queue.something());
    else co_await wait_for(shield(queue.something()), std::chrono::nanoseconds(left));
  }
}

}  // namespace asyncio::inline v0::detail
