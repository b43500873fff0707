// The loop itself, behind EventLoop.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/callback.hpp>
#include <asyncio/detail/core/cancel.hpp>
#include <asyncio/detail/core/poller.hpp>
#include <asyncio/event_loop.hpp>

#include "core/director.hpp"
#include "core/inbox.hpp"
#include "core/timer_heap.hpp"

#include <atomic>
#include <csignal>
#include <exception>
#include <memory>
#include <thread>

namespace asyncio::inline v0::detail {

struct Loop : LoopBase {
  /// Takes the world over, and leaves null, so that who made it knows whose it is if this throws.
  Loop(EventLoop& outside, Poller*& world);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // ---- turning (loop.cpp)

  /// Looks if it is time to, sleeping when nothing is ready; then runs one batch.
  void run_one_turn();
  /// Turns until stop(), or throws what ends everything [R77].
  void run_until_stopped();
  /// A turn that never looks at the world.
  void run_one_batch();
  /// Does what is due, at most `callbacks` of it, without sleeping.
  void run_as_guest(std::size_t callbacks);
  /// From now on posts make our descriptor readable, unless something is ready, which says it too.
  void let_host_sleep() noexcept;
  /// When the next thing is due: the past if something is ready.
  Ticks next_due() const noexcept { return ready.empty() ? timers.first_deadline() : -never; }

  // ---- asking (event_loop.cpp)

  /// Throws:  RuntimeError in debug mode from a wrong thread [R7].
  void check_thread(const char* what) const;
  /// Throws:  RuntimeError once it is closed, and in a forked child.
  void check_open(const char* what) const;
  void check_process(const char* what) const;
  /// All three.
  ASYNCIO_INLINE void check_fit(const char* what) const;
  bool in_forked_child() const noexcept;

  // ---- leaving (shutdown.cpp)

  /// Cancels every task and runs until none is left [R71, R73].
  void cancel_all_tasks();
  void close();

  EventLoop& facade;
  std::unique_ptr<Poller> poller;
  Gate& gate;
  TimerHeap timers;

  bool running = false;
  bool is_guest = false;  // a host sleeps on our descriptor: when this does not run, posts wake it
  bool stopping = false;
  bool closed = false;
  /// The EventLoop is gone; this stays until the last task and future, which refer to it, are.
  bool gone = false;
  std::exception_ptr fatal;  // KeyboardInterrupt, SystemExit, or that this is a forked child
  unsigned forks;  // of the process when this was made
  bool forked = false;  // just now, in a turn: this one is the child's copy
  std::atomic<std::thread::id> thread;  // posters look whether it is theirs

  /// Ends the loop before its next callback; `error` leaves run() [R77].
  void end_with(std::exception_ptr error) noexcept;
  /// In a child that was forked while this was turning: ends it at the next wait [R7].
  void leave_to_parent() noexcept;

  /// Looked at before each callback: a signal has come, or there is a fatal error.
  volatile std::sig_atomic_t attention = 0;
  volatile std::sig_atomic_t interrupted = 0;  // set by the signal handler, with `attention`
  UniqueFunction<void()> on_interrupt;

  std::shared_ptr<void> executor;           // the default ThreadPool, made when first asked for
  void (*join_executor)(Loop&) = nullptr;  // set with it: core does not know pools
  Ticks executor_patience = 300'000'000'000;  // how long close() waits for its calls [R71]
  RingNode errands;                           // Errands, left behind by close()

  ExceptionHandler exception_handler;
  std::shared_ptr<UniqueFunction<void(EventLoop&, AnyTask)>> task_factory;
  Ticks slow_callback = 100'000'000;  // [R84]

  /// Read by the signal handler, hence volatile; only the loop's thread writes it.
  volatile std::uint64_t turns = 0;
  std::uint64_t turns_seen() const noexcept { return turns; }
  std::uint64_t callbacks = 0;
  Ticks asleep = 0;
  Ticks longest_callback = 0;
  mutable Ticks latest_now = 0;  // the clock when somebody last read it

  Director* director = nullptr;  // a test's; null: asyncio's order

  /// A timer that is due already does not wait for the pace [R2].
  void look_next_turn() noexcept { turns_until_look_ = 0; }

 private:
  // A turn may be one small step of one task: what it goes through is inlined into it.
  ASYNCIO_INLINE void turn();
  ASYNCIO_INLINE bool time_to_look() noexcept;
  void look();
  void sleep_or_look();
  void take_due_timers(Ticks now) noexcept;
  ASYNCIO_INLINE void take(TimerNode& timer) noexcept;
  void take_first_as_directed();
  void plan_next_look(Ticks now) noexcept;
  ASYNCIO_INLINE void run_what_is_ready();
  void run_with_care();
  static constexpr auto all = static_cast<std::size_t>(-1);
  /// Runs nodes until `limit` of them or something that stops the loop; the rest stays ready.
  ASYNCIO_INLINE void run_batch(ReadyNode* batch, std::size_t limit, bool watched);
  ASYNCIO_INLINE void run(ReadyNode& node) noexcept;
  void run_watched(ReadyNode& node) noexcept;
  void call(CallbackNode& node) noexcept;
  void give_back(ReadyNode* batch) noexcept;
  void attend();
  void end_tasks();

  Ticks last_look_ = 0;
  int turns_until_look_ = 0;
  std::uint64_t turns_at_look_ = 0;
};

inline Loop& loop_of(LoopBase& base) noexcept { return static_cast<Loop&>(base); }
inline const Loop& loop_of(const LoopBase& base) noexcept {
  return static_cast<const Loop&>(base);
}

/// The loop that runs in this thread. Null in a child that was forked from one: it may run its own.
Loop* running_here() noexcept;

/// Makes `loop` this thread's running loop until it ends. Only close() may do so inside of another
/// loop, which then waits: a coroutine may own a loop, and destroy it.
class RunningLoop {
 public:
  enum class Inside { nothing, another };

  explicit RunningLoop(Loop& loop, Inside inside = Inside::nothing);
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;
  ~RunningLoop();

 private:
  Loop& loop_;
  ThreadState outer_;
  bool noted_before_;  // whether coroutines' creation was
};

/// The library's way to a loop.
struct LoopAccess {
  static Loop& loop(const EventLoop& facade) noexcept { return *facade.loop_; }
  static std::unique_ptr<EventLoop> make(std::unique_ptr<Poller> poller) {
    Poller* world = poller.release();
    try {
      return std::unique_ptr<EventLoop>(new EventLoop(world));
    } catch (...) {
      delete world;
      throw;
    }
  }
  static void run_until(EventLoop& facade, ResultState& state) { facade.run_until(state); }
};

/// A CancelledError with the message of the task's last request.
std::exception_ptr make_cancelled_error(const TaskState& task);

/// Destroys the frames of a task that has not ended, innermost first, and ends it as cancelled.
void tear_down(TaskState& task) noexcept;

}  // namespace asyncio::inline v0::detail
