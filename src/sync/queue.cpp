// Who waits for an item or for room, and what shutdown() tells them.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/sync/queue_wait.hpp>

#include <asyncio/coro.hpp>
#include <asyncio/exceptions.hpp>

#include "sync/turn.hpp"

#include <stdexcept>

namespace asyncio::inline v0::detail {

// If it is cancelled, who comes after it is woken for what it was woken for and does not take.
Coro<void> QueueBase::item_arrives() {
  while (qsize() == 0 && !shut_) {
    const Ending ending = co_await Begin<Turn, WaitLine>(getters_);
    if (!ending.cancelled) continue;
    if (ending.has_turn) pass_item_on();
    raise_cancelled();
  }
}

Coro<void> QueueBase::room_arises() {
  while (is_full(qsize()) && !shut_) {
    const Ending ending = co_await Begin<Turn, WaitLine>(putters_);
    if (!ending.cancelled) continue;
    if (ending.has_turn) pass_room_on();
    raise_cancelled();
  }
}

FrameHandle QueueBase::wait_for_item() {
  Coro<void> wait = item_arrives();
  return CoroAccess::release(wait);
}

FrameHandle QueueBase::wait_for_room() {
  Coro<void> wait = room_arises();
  return CoroAccess::release(wait);
}

void QueueBase::pass_item_on() noexcept {
  if (qsize() > 0) getters_.wake_first();
}

void QueueBase::pass_room_on() noexcept {
  if (!is_full(qsize())) putters_.wake_first();
}

void QueueBase::shut(std::size_t dropped) noexcept {
  shut_ = true;
  unfinished_ -= dropped < unfinished_ ? dropped : unfinished_;
  if (unfinished_ == 0) finished_.set();
  getters_.wake_all();
  putters_.wake_all();
}

void QueueBase::finish_one() {
  if (unfinished_ == 0) {
    throw std::invalid_argument("Queue::task_done: called more often than items were put");
  }
  if (--unfinished_ == 0) finished_.set();
}

void QueueBase::throw_empty() { throw QueueEmpty(); }
void QueueBase::throw_full() { throw QueueFull(); }
void QueueBase::throw_shut_down() { throw QueueShutDown(); }

}  // namespace asyncio::inline v0::detail
