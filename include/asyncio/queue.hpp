// Queue, PriorityQueue and LifoQueue: items on their way from task to task.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/temporaries.hpp>
#include <asyncio/detail/sync/queue_wait.hpp>
#include <asyncio/detail/sync/stores.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

// std::less: libstdc++ has it in <string>, which a program with a queue includes anyway.
#if defined(__GLIBCXX__)
#include <string>
#else
#include <queue>
#endif

namespace asyncio::inline v0 {

/// Hands items from the tasks that put() to the tasks that get(); with a bound, put() waits for
/// room.
///
///     asyncio::Queue<Job> jobs(100);
///     co_await jobs.put(job);                        // in the producer
///     while (auto next = co_await jobs.next()) {     // in each consumer, until shutdown()
///       work(*next);
///       jobs.task_done();
///     }
///
/// Items may be move-only. If one throws when it is moved in or out, or when it is compared, the
/// queue stays as it was, and who comes next in line is woken instead. Those still inside when it
/// is destroyed are destroyed with it; tasks that wait then are woken with RuntimeError.
///
/// Order:   first in, first out; who waits is served in the order they came [R64].
/// Cancel:  a cancelled get() takes nothing, a cancelled put() leaves nothing, and who was woken
///          for it wakes the next [R65, R67]: no item is lost.
/// Thread:  one loop, the first that waits on it [R63]; from another thread, post put_nowait()
///          with call_soon_threadsafe().
/// Python:  asyncio.Queue.
template <class T, class Store = detail::Ring<T>>
class Queue : public detail::QueueBase {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "asyncio: a queue holds objects: for references, make it a Queue<T*>");
  using Base = detail::QueueBase;
  using Get = detail::Begin<detail::GetWait<Queue>, Queue>;
  using Next = detail::Begin<detail::NextWait<Queue>, Queue>;
  using Put = detail::Put<Queue, T>;

 public:
  /// Holds at most `maxsize` items; 0 or less: any number.
  explicit Queue(std::ptrdiff_t maxsize = 0, Store store = Store())
      : Base(maxsize), store_(std::move(store)) {}

  /// Waits for room and puts the item in. Does not suspend if there is room.
  /// Throws:  QueueShutDown.
  Put put(T&& item) {
    static_assert(!detail::fragile_temporary<T>,
                  "asyncio: g++ 12 destroys a temporary of this aggregate type twice: write "
                  "co_await queue.emplace(members...), or give it a name and put that, which "
                  "copies it");
    return Put(*this, std::move(item));
  }
  Put put(const T& item)
    requires std::is_copy_constructible_v<T>
  {
    return Put(*this, item);
  }
  /// put() of a T made from `args`.
  template <class... Args>
  Put emplace(Args&&... args) {
    return Put(*this, std::forward<Args>(args)...);
  }
  /// Waits for an item and takes it. Does not suspend if there is one.
  /// Throws:  QueueShutDown once it is shut down and empty.
  Get get() noexcept { return Get(*this); }
  /// get() for a loop: empty once the queue is shut down and has no more items.
  Next next() noexcept { return Next(*this); }

  /// Throws:  QueueFull, QueueShutDown; the item is then still the caller's.
  void put_nowait(T&& item) {
    check_room();
    add(std::move(item));
  }
  void put_nowait(const T& item) {
    check_room();
    add(T(item));
  }
  /// Throws:  QueueEmpty, or QueueShutDown once it is shut down and empty.
  T get_nowait() {
    if (empty()) [[unlikely]] {
      if (shut_) throw_shut_down();
      throw_empty();
    }
    return take();
  }

  std::size_t qsize() const noexcept override { return store_.size(); }
  /// 0: no bound.
  std::ptrdiff_t maxsize() const noexcept { return maxsize_; }
  bool empty() const noexcept { return store_.size() == 0; }
  bool full() const noexcept { return is_full(store_.size()); }

  /// Says that the work on an item that was taken is done, for those who wait in join().
  /// Throws:  std::invalid_argument if it is said more often than items were put [R68].
  void task_done() { finish_one(); }
  /// Waits until task_done() was said for every item that was put.
  auto join() noexcept { return detail::Begin<detail::FlagWait, detail::Flag>(finished_); }

  /// Refuses puts from now on, and gets once the last item is taken; whoever waits for what will
  /// not come is woken [R69]. `immediate` drops the items that are inside, as if they were done.
  void shutdown(bool immediate = false) noexcept {
    if (!immediate) return shut(0);
    const Store dropped(std::move(store_));
    shut(dropped.size());
  }

 private:
  friend detail::GetWait<Queue>;
  friend detail::NextWait<Queue>;
  friend detail::PutWait<Queue, T>;

  void check_room() const {
    if (shut_) [[unlikely]] throw_shut_down();
    if (full()) [[unlikely]] throw_full();
  }
  ASYNCIO_INLINE void add(T&& item) {
    store_.push(std::move(item));
    item_added();
  }
  template <class Made = T>
  ASYNCIO_INLINE Made take() {
    Made item = store_.template pop<Made>();
    item_taken();
    return item;
  }

  Store store_;
};

/// A Queue that gives the least item first; of equal ones, the one that was put first [R70].
///
///     asyncio::PriorityQueue<Job, MoreUrgent> jobs(100);
///
/// Python:  asyncio.PriorityQueue.
template <class T, class Compare = std::less<T>>
using PriorityQueue = Queue<T, detail::Heap<T, Compare>>;

/// A Queue that gives the item that was put last.
/// Python:  asyncio.LifoQueue.
template <class T>
using LifoQueue = Queue<T, detail::Stack<T>>;

}  // namespace asyncio::inline v0
