// co_await queue.get() and queue.put(): at once, or in line for an item or for room.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/sync/flag.hpp>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

/// What a queue is without its T. Items stay in the queue, and slots free, until whoever was woken
/// for one runs: nobody who is cancelled meanwhile can take one along [R65, R67].
class ASYNCIO_API QueueBase {
 public:
  QueueBase(const QueueBase&) = delete;
  QueueBase& operator=(const QueueBase&) = delete;

  virtual std::size_t qsize() const noexcept = 0;

 protected:
  // 0 or less: no bound.
  explicit QueueBase(std::ptrdiff_t maxsize) noexcept : maxsize_(maxsize > 0 ? maxsize : 0) {}
  virtual ~QueueBase() = default;

  // Coroutines, for those who do wait: they stand in line again if others were faster [R66].
  FrameHandle wait_for_item();
  FrameHandle wait_for_room();

  bool is_full(std::size_t size) const noexcept {
    return maxsize_ > 0 && size >= static_cast<std::size_t>(maxsize_);
  }
  void item_added() noexcept {
    ++unfinished_;
    finished_.clear();
    getters_.wake_first();
  }
  void item_taken() noexcept { putters_.wake_first(); }
  // For whoever was woken for an item, or for room, and does not use it.
  void pass_item_on() noexcept;
  void pass_room_on() noexcept;
  void shut(std::size_t dropped) noexcept;
  void finish_one();
  [[noreturn]] static void throw_empty();
  [[noreturn]] static void throw_full();
  [[noreturn]] static void throw_shut_down();

  const std::ptrdiff_t maxsize_;
  std::size_t unfinished_ = 0;  // put, and not task_done() yet [R68]
  bool shut_ = false;
  Flag finished_{true};

 private:
  Coro<void> item_arrives();
  Coro<void> room_arises();

  WaitLine getters_;
  WaitLine putters_;
};

/// Without a child there was no need to wait.
class QueueWait : public ChildAwaiter<void> {
 protected:
  QueueWait() noexcept : ChildAwaiter<void>(nullptr) {}

  ASYNCIO_INLINE std::coroutine_handle<> begin(FrameHandle child,
                                               std::coroutine_handle<> parent) {
    child_ = child;
    return ChildAwaiter<void>::await_suspend(parent);
  }
  /// True if it did wait, and so has a turn.
  ASYNCIO_INLINE bool end() {
    if (!child_) return false;
    ChildAwaiter<void>::await_resume();
    return true;
  }
};

template <class Queue>
class [[nodiscard]] GetWait : public QueueWait {
 public:
  explicit GetWait(Queue& queue) noexcept : queue_(queue) {}

  bool await_ready() const noexcept { return !queue_.empty() || queue_.shut_; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) {
    return begin(queue_.wait_for_item(), parent);
  }
  ASYNCIO_INLINE auto await_resume() {
    const bool has_turn = this->end();
    if (queue_.empty()) [[unlikely]] Queue::throw_shut_down();
    return take<decltype(queue_.take())>(has_turn);
  }

 protected:
  template <class Made>
  ASYNCIO_INLINE Made take(bool has_turn) {
    try {
      return queue_.template take<Made>();
    } catch (...) {  // of the item's move or of Compare: it is still there
      if (has_turn) queue_.pass_item_on();
      throw;
    }
  }

  Queue& queue_;
};

template <class Queue>
class [[nodiscard]] NextWait : public GetWait<Queue> {
 public:
  using GetWait<Queue>::GetWait;

  ASYNCIO_INLINE auto await_resume() {
    const bool has_turn = this->end();
    using Made = std::optional<decltype(this->queue_.take())>;
    return this->queue_.empty() ? Made() : this->template take<Made>(has_turn);
  }
};

template <class Queue, class T>
class [[nodiscard]] PutWait : public QueueWait {
 public:
  PutWait(Queue& queue, T&& item) noexcept(std::is_nothrow_move_constructible_v<T>)
      : queue_(queue), item_(std::move(item)) {}

  bool await_ready() const noexcept { return !queue_.full() || queue_.shut_; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) {
    return begin(queue_.wait_for_room(), parent);
  }
  ASYNCIO_INLINE void await_resume() {
    const bool has_turn = end();
    if (queue_.shut_) [[unlikely]] Queue::throw_shut_down();
    try {
      queue_.add(std::move(item_));
    } catch (...) {  // of the item's move, of Compare or for want of memory
      if (has_turn) queue_.pass_room_on();
      throw;
    }
  }

 private:
  Queue& queue_;
  T item_;
};

template <class Queue, class T>
class [[nodiscard("asyncio: this does not put anything: co_await it")]] Put {
 public:
  template <class... Args>
  explicit Put(Queue& queue, Args&&... args)
      : queue_(queue), item_(std::forward<Args>(args)...) {}
  PutWait<Queue, T> operator co_await() && { return {queue_, std::move(item_)}; }

 private:
  Queue& queue_;
  T item_;
};

}  // namespace asyncio::inline v0::detail
