// Posts from other threads, and the one wake per sleep that they cost.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/poller.hpp>
#include <asyncio/detail/core/task_state.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace asyncio::inline v0::detail {

/// What a gate stands on. In the tests it is a model, which tries every interleaving.
struct RealThreads {
  template <class T>
  using Atomic = std::atomic<T>;
  using Node = ReadyNode;
  using Queue = ReadyQueue;
  using Waker = Poller;
  static void yield() noexcept { std::this_thread::yield(); }
};

/// The loop's side that other threads may touch; it outlives the loop, whoever posts holds it.
///
///     loop:   sleeping_ = true;  nothing in the stack? -> sleep, else sleeping_ = false
///     poster: push;              sleeping_ was true and I took it? -> wake the poller
///
/// Both sides write before they read, all four operations sequentially consistent, so at least one
/// sees the other: no wake-up is lost. Whoever takes the flag wakes; so at most one poster does for
/// each time the loop sleeps, and none while it is awake.
///
///     closer: posting_ |= closed;  the rest of it 0? -> nobody is inside, nobody gets in
///     poster: ++posting_;          was it closed? -> --posting_ and refuse
template <class Self, class Threads>
class GateOf {
  template <class T>
  using Atomic = typename Threads::template Atomic<T>;
  using Node = typename Threads::Node;

 public:
  explicit GateOf(typename Threads::Waker& waker) noexcept : waker_(waker) {}

  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept { let_go(1); }

  /// From any thread. False if the loop is closed: the node is still the caller's.
  bool post(Node& node) noexcept {
    if (!enter()) return false;
    push(node);
    wake_if_asleep();
    leave();
    return true;
  }

  /// One more count, of something that is out in the world: a thread's job or a hold. While there
  /// are some, virtual time stands still.
  void count_out() noexcept { count_.fetch_add(out + 1, std::memory_order_relaxed); }
  /// From any thread; the loop looks, if it sleeps, since time may jump again.
  void count_home() noexcept { come_home(nullptr); }
  /// post() and count_home(): whoever sees that nobody is out sees the post, too.
  bool bring_home(Node& node) noexcept { return come_home(&node); }

  std::size_t out_in_the_world() const noexcept {
    return count_.load(std::memory_order_seq_cst) / out;
  }

  // ---- for the loop's own thread

  /// Moves what was posted to the end of `ready`, oldest first.
  void take(typename Threads::Queue& ready) noexcept {
    if (!top_.load(std::memory_order_relaxed)) return;
    Node* newest = top_.exchange(nullptr, std::memory_order_acquire);
    Node* oldest = nullptr;
    while (newest) {
      Node* const next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    while (oldest) {
      Node* const next = oldest->next;
      ready.push(*oldest);
      oldest = next;
      ++posts_;
    }
  }

  /// Says that the loop is about to sleep. False: something came, do not.
  bool begin_sleep() noexcept {
    sleeping_.store(true, std::memory_order_seq_cst);
    if (!top_.load(std::memory_order_seq_cst)) return true;
    end_sleep();
    return false;
  }
  void end_sleep() noexcept { sleeping_.store(false, std::memory_order_relaxed); }

  /// Afterwards nobody posts; what was posted before can still be taken.
  /// In a forked child there is nobody to `wait` for: who was inside stayed with the parent.
  void close(bool wait) noexcept {
    posting_.fetch_or(closed, std::memory_order_seq_cst);
    while (wait && posting_.load(std::memory_order_seq_cst) != closed) Threads::yield();
  }

  bool has_posts() const noexcept { return top_.load(std::memory_order_seq_cst) != nullptr; }
  std::uint64_t posts() const noexcept { return posts_; }

 protected:
  ~GateOf() = default;

 private:
  static constexpr std::uint64_t out = std::uint64_t{1} << 32;
  static constexpr std::uint32_t closed = std::uint32_t{1} << 31;
  static constexpr std::size_t cache_line = 64;

  bool enter() noexcept {
    if (!(posting_.fetch_add(1, std::memory_order_seq_cst) & closed)) [[likely]] return true;
    leave();
    return false;
  }
  void leave() noexcept { posting_.fetch_sub(1, std::memory_order_release); }

  void push(Node& node) noexcept {
    Node* top = top_.load(std::memory_order_relaxed);
    do {
      node.next = top;
    } while (!top_.compare_exchange_weak(top, &node, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
  }
  void wake_if_asleep() noexcept {
    if (sleeping_.load(std::memory_order_seq_cst) &&
        sleeping_.exchange(false, std::memory_order_seq_cst)) {
      waker_.wake();
    }
  }

  bool come_home(Node* node) noexcept {
    if (!enter()) {
      let_go(out + 1);
      return false;
    }
    if (node) push(*node);
    let_go(out + 1);  // not the last: the loop's own count is there while we are inside
    wake_if_asleep();
    leave();
    return true;
  }
  void let_go(std::uint64_t counts) noexcept {
    if (count_.fetch_sub(counts, std::memory_order_seq_cst) == counts) {
      delete static_cast<Self*>(this);
    }
  }

  // What posters write lies together, and apart from what the loop writes.
  alignas(cache_line) Atomic<Node*> top_{nullptr};
  Atomic<std::uint32_t> posting_{0};  // how many are inside
  Atomic<std::uint64_t> count_{1};    // who holds this; the upper half: who of them is out

  alignas(cache_line) Atomic<bool> sleeping_{false};
  typename Threads::Waker& waker_;
  std::uint64_t posts_ = 0;  // that were taken
};

/// The gate of a loop.
class Gate final : public GateOf<Gate, RealThreads> {
 public:
  using GateOf::GateOf;

 private:
  friend GateOf;
  ~Gate() = default;
};

}  // namespace asyncio::inline v0::detail
