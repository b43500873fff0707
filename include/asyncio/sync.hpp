// Lock, Event, Condition, semaphores and Barrier: tasks that wait for each other.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/sync/acquire.hpp>
#include <asyncio/detail/sync/flag.hpp>

#include <coroutine>
#include <cstddef>
#include <type_traits>

namespace asyncio::inline v0 {

/// Lets one task at a time through a stretch of code that contains a `co_await`.
///
///     asyncio::Lock lock;
///     auto held = co_await lock.scoped_acquire();  // released when `held` goes out of scope
///
/// Code without a `co_await` inside needs no lock: nothing else runs meanwhile. Destroyed while
/// tasks wait for it, it wakes them with RuntimeError.
///
/// Order:   first come, first served; who releases and asks again goes to the back [R56].
/// Cancel:  a cancelled waiter leaves the line; a turn it was already given passes on [R57].
/// Thread:  one loop, the first that waits on it [R63].
/// Python:  asyncio.Lock; `async with lock:` is `auto held = co_await lock.scoped_acquire();`.
class ASYNCIO_API Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// Waits for the lock and takes it. Does not suspend if it is free.
  detail::Acquire<Lock> acquire() noexcept { return detail::Acquire<Lock>(*this); }
  /// acquire() whose result, a Held<Lock>, releases the lock at the end of its scope.
  detail::ScopedAcquire<Lock> scoped_acquire() noexcept {
    return detail::ScopedAcquire<Lock>(*this);
  }
  /// Frees the lock; the task that has waited longest runs on a later turn of the loop.
  /// Throws:  InvalidStateError if the lock is free.
  void release() {
    if (!locked_) [[unlikely]] throw_free();
    give_back();
  }

  bool locked() const noexcept { return locked_; }

 private:
  template <class Owner>
  friend class detail::AcquireWait;
  friend Held<Lock>;
  friend class Condition;

  bool try_take() noexcept {
    if (locked_ || !line_.empty()) return false;
    return locked_ = true;
  }
  void take_turn() noexcept { locked_ = true; }
  void pass_on() noexcept { line_.wake_first(); }
  void give_back() noexcept {
    if (!locked_) return;  // released by hand: who is next has been woken already
    locked_ = false;
    line_.wake_first();
  }
  [[noreturn]] static void throw_free();

  detail::WaitLine line_;
  bool locked_ = false;
};

/// Something that happens once, or again after clear(), and that any number of tasks wait for.
///
///     asyncio::Event ready;
///     co_await ready.wait();  // elsewhere: ready.set();
///
/// Destroyed while tasks wait for it, it wakes them with RuntimeError.
///
/// Order:   set() wakes all who wait, in the order they came, also if clear() follows [R58].
/// Thread:  one loop, the first that waits on it [R63]; to set it from another thread, post
///          set() with call_soon_threadsafe().
/// Python:  asyncio.Event.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set() noexcept { flag_.set(); }
  void clear() noexcept { flag_.clear(); }
  bool is_set() const noexcept { return flag_.is_set(); }

  /// Waits until it is set. Does not suspend if it is.
  auto wait() noexcept { return detail::Begin<detail::FlagWait, detail::Flag>(flag_); }

 private:
  detail::Flag flag_{false};
};

/// A Lock, and tasks that wait under it until what it guards has changed.
///
///     auto held = co_await condition.scoped_acquire();
///     co_await condition.wait_for([&] { return !jobs.empty(); });
///
/// Destroyed while tasks wait for it, it wakes them with RuntimeError, under the lock again if that
/// is another's. A guard of the lock that it brings itself must not outlive it.
///
/// Order:   notify() wakes those who have waited longest.
/// Cancel:  wait() has the lock again before it throws; a notification that it had already
///          received passes on [R59].
/// Thread:  one loop, the first that waits on it [R63].
/// Python:  asyncio.Condition.
class ASYNCIO_API Condition {
 public:
  Condition() noexcept : lock_(own_) {}
  /// On a lock that others use too. It must outlive the condition.
  explicit Condition(Lock& lock) noexcept : lock_(lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition();

  detail::Acquire<Lock> acquire() noexcept { return lock_.acquire(); }
  detail::ScopedAcquire<Lock> scoped_acquire() noexcept { return lock_.scoped_acquire(); }
  void release() { lock_.release(); }
  bool locked() const noexcept { return lock_.locked(); }

  /// Releases the lock, waits for a notification and takes the lock again. What was waited for may
  /// have changed back meanwhile: ask again, or use wait_for().
  /// Throws:  InvalidStateError if the lock is free.
  Coro<void> wait();

  /// wait() until `pred()` is true; gives what it gave.
  template <class Pred, class Self = Condition>
  Coro<std::decay_t<std::invoke_result_t<Pred&>>> wait_for(Pred pred) {
    for (;;) {
      std::decay_t<std::invoke_result_t<Pred&>> answer = pred();
      if (answer) co_return answer;
      co_await static_cast<Self&>(*this).wait();
    }
  }

  /// Wakes `count` of those who wait; they run once the lock is theirs.
  /// Throws:  InvalidStateError if the lock is free.
  void notify(std::size_t count = 1);
  void notify_all() { notify(static_cast<std::size_t>(-1)); }

 private:
  class Notified;
  class Reacquired;
  struct Witness;

  Lock own_;
  Lock& lock_;
  detail::WaitLine line_;
  detail::RingNode witnesses_;  // of each wait()
};

/// Lets `permits` tasks at a time through: a limit on how much runs at once.
///
///     asyncio::Semaphore at_most_ten(10);
///     auto permit = co_await at_most_ten.scoped_acquire();
///
/// Destroyed while tasks wait for it, it wakes them with RuntimeError.
///
/// Order:   first come, first served; a permit is handed over when it is released [R60].
/// Cancel:  a cancelled waiter leaves the line; a permit it was already given passes on.
/// Thread:  one loop, the first that waits on it [R63].
/// Python:  asyncio.Semaphore.
class ASYNCIO_API Semaphore {
 public:
  /// Throws:  std::invalid_argument if `permits` is negative.
  explicit Semaphore(std::ptrdiff_t permits = 1);
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Waits for a permit and takes it. Does not suspend if there is one.
  detail::Acquire<Semaphore> acquire() noexcept { return detail::Acquire<Semaphore>(*this); }
  /// acquire() whose result, a Held<Semaphore>, gives the permit back at the end of its scope.
  detail::ScopedAcquire<Semaphore> scoped_acquire() noexcept {
    return detail::ScopedAcquire<Semaphore>(*this);
  }
  /// Gives a permit back, or one more.
  void release() noexcept { give_back(); }

  /// True if acquire() would suspend.
  bool locked() const noexcept { return permits_ == 0 || !line_.empty(); }

 protected:
  Semaphore(std::ptrdiff_t permits, std::ptrdiff_t most);
  bool all_there() const noexcept { return permits_ == most_; }

 private:
  template <class Owner>
  friend class detail::AcquireWait;
  friend Held<Semaphore>;

  bool try_take() noexcept {
    if (locked()) return false;
    --permits_;
    return true;
  }
  // The permit was taken when it was handed over; who came meanwhile waits behind this one,
  // even if there are more.
  void take_turn() noexcept { hand_over(); }
  void pass_on() noexcept { give_back(); }
  void give_back() noexcept {
    if (all_there()) [[unlikely]] return;  // a scope whose permit was released by hand
    ++permits_;
    hand_over();
  }
  void hand_over() noexcept {
    while (permits_ > 0 && line_.wake_first()) --permits_;
  }

  std::ptrdiff_t permits_;
  const std::ptrdiff_t most_;
  detail::WaitLine line_;
};

/// A Semaphore that finds a release() without an acquire().
/// Python:  asyncio.BoundedSemaphore.
class ASYNCIO_API BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(std::ptrdiff_t permits = 1) : Semaphore(permits, permits) {}

  /// Gives a permit back.
  /// Throws:  std::invalid_argument if none is taken [R61].
  void release() {
    if (all_there()) [[unlikely]] throw_all_there();
    Semaphore::release();
  }

 private:
  [[noreturn]] static void throw_all_there();
};

/// Holds tasks back until `parties` of them have come, then lets all of them go on.
///
///     asyncio::Barrier three(3);
///     if (co_await three.wait() == 0) report();  // one of the three, whichever
///
/// A task that comes again after that waits for the next round. Destroyed while tasks wait for it,
/// it wakes them with RuntimeError.
///
/// Cancel:  a cancelled waiter leaves; the round needs one more to come [R62].
/// Thread:  one loop, the first that waits on it [R63].
/// Python:  asyncio.Barrier.
class ASYNCIO_API Barrier {
 public:
  class Waiting;

  /// Throws:  std::invalid_argument if `parties` is less than one.
  explicit Barrier(std::ptrdiff_t parties);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Waits for the others; the last to come does not suspend. Gives each task of a round a number
  /// of its own, from 0 to parties() - 1.
  /// Throws:  BrokenBarrierError if reset() or abort() is called meanwhile, or abort() was before.
  detail::Begin<Waiting, Barrier> wait() noexcept;

  /// Begins anew: who waits gets BrokenBarrierError, who comes next is the first of a round.
  void reset() noexcept;
  /// Breaks it until reset(): who waits, and who comes, gets BrokenBarrierError.
  void abort() noexcept;

  std::size_t parties() const noexcept { return parties_; }
  std::size_t n_waiting() const noexcept { return waiting_; }
  bool broken() const noexcept { return broken_; }

 private:
  bool complete_round() noexcept;
  void break_round() noexcept;

  const std::size_t parties_;
  std::size_t waiting_ = 0;
  bool broken_ = false;
  detail::WaitLine line_;
};

/// The wait itself.
class [[nodiscard]] Barrier::Waiting : public detail::LineWait {
 public:
  explicit Waiting(Barrier& barrier) noexcept : LineWait(barrier.line_), barrier_(barrier) {}

  bool await_ready() noexcept;
  void await_suspend(std::coroutine_handle<> frame);
  std::size_t await_resume() {
    if (task && leave_served()) [[unlikely]] detail::raise_cancelled();
    if (index_ == broken_off) [[unlikely]] throw_broken();
    return index_;
  }

  bool cancel(detail::CancelRequest& request) noexcept override;
  void leave() noexcept override;

 private:
  friend Barrier;
  static constexpr auto broken_off = static_cast<std::size_t>(-1);
  [[noreturn]] static void throw_broken();

  Barrier& barrier_;
  std::size_t index_ = broken_off;
};

inline detail::Begin<Barrier::Waiting, Barrier> Barrier::wait() noexcept {
  return detail::Begin<Waiting, Barrier>(*this);
}

}  // namespace asyncio::inline v0
