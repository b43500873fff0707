// Worker threads and the line of jobs in front of them.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/threads.hpp>

#include "core/fork.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace asyncio::inline v0::detail {

/// What a ThreadPool is a handle to. Its threads hold it too, so that one that is left behind with
/// a job that never ends has something to come back to.
///
///     a worker is | and then
///     coming      | woken or started, not there yet; at most one is, since a wake costs the waker
///                 | 15 us: it calls the next if it finds more than one job
///     at work     | runs jobs until the line is empty
///     idle        | asleep at its bell, on the stack of idle_; the one that came last is called
///                 | first, its cache is warm
///     gone        | after shutdown(), once the line is empty; the last one runs the farewells
///
/// Everything is guarded by the mutex; jobs run outside of it.
class Pool {
 public:
  explicit Pool(std::size_t most) noexcept : most_(most) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    // Never in a forked child: threads that are not there can be neither joined nor detached.
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1 && !in_forked_child()) delete this;
  }

  /// Takes the job over. True if all threads there may be wait for results of a loop, and this is
  /// the first call that waits for a thread meanwhile.
  /// Throws:  RuntimeError after shutdown(), and in a forked child if the threads are the parent's;
  ///          std::system_error if there is no thread and none can be started.
  bool submit(ThreadJob& job);

  /// The pool that this thread works for.
  static Pool* of_this_thread() noexcept;
  /// A worker waits for a loop, until leave_wait(). True as in submit().
  bool enter_wait() noexcept;
  void leave_wait() noexcept;

  /// No more jobs; the workers go when the line is empty.
  void shutdown() noexcept;
  /// Runs the job when the last worker goes, or now if there is none. After shutdown().
  void bid_farewell(ThreadJob& job) noexcept;
  /// Waits for the threads to end, after shutdown(). Called by one of them, it detaches them.
  void join();
  /// Leaves the threads to themselves: nobody waits for them any more.
  void detach() noexcept;
  /// Frees the jobs that have not begun.
  void drop_line() noexcept;

  std::size_t most() const noexcept { return most_; }
  std::size_t workers();
  /// The calls that run now.
  std::vector<CallName> at_work();

 private:
  struct Worker {
    std::atomic<std::uint32_t> bell{0};  // 1: rung
    Worker* next_idle = nullptr;
    CallName call;         // that runs now: a copy, since the job may go home and be freed before
    bool at_work = false;  // its worker hears of that
    std::thread thread;
  };
  using Lock = std::unique_lock<std::mutex>;

  ~Pool() = default;

  /// The threads are the parent's; one of them may have held the mutex.
  bool in_forked_child() const noexcept {
    const unsigned forks = forks_.load(std::memory_order_relaxed);
    return forks != no_threads && forks != fork_count;
  }

  bool everybody_waits() noexcept;
  void push(ThreadJob& job) noexcept;
  ThreadJob* pop() noexcept;
  void sweep() noexcept;

  /// Finds the next worker to come: an idle one, whose bell is to be rung, or a new one.
  Worker* call_another() noexcept;
  void start_worker();

  void work(Worker& me) noexcept;
  void be_idle(Lock& lock, Worker& me) noexcept;
  void go(Lock& lock) noexcept;
  void last_has_gone(Lock& lock) noexcept;
  bool nobody_can_wait();
  static void ring(Worker& worker) noexcept;

  std::mutex mutex_;
  ReadyQueue line_;
  std::size_t waiting_ = 0;  // jobs in the line, withdrawn ones included
  std::size_t sweep_at_ = first_sweep;
  std::vector<std::unique_ptr<Worker>> workers_;
  Worker* idle_ = nullptr;
  bool coming_ = false;
  bool closing_ = false;
  bool detached_ = false;
  std::size_t alive_ = 0;
  std::size_t in_wait_ = 0;  // workers whose job waits for a loop
  bool said_ = false;        // that everybody waits
  ReadyQueue farewells_;
  std::atomic<std::uint32_t> gone_{0};  // 1: no worker is left, and none will be

  static constexpr auto no_threads = static_cast<unsigned>(-1);
  std::atomic<unsigned> forks_{no_threads};  // of the process when a thread was started

  const std::size_t most_;
  std::atomic<unsigned> count_{1};

  // Withdrawn jobs stay in the line until a worker meets them. When as many as this are waiting,
  // and each time that they have doubled, they are swept out: a stuck pool does not fill memory.
  static constexpr std::size_t first_sweep = 1024;
};

/// Debug mode: every thread of a pool waits for a loop while calls wait for a thread.
void report_exhausted(LoopBase& loop) noexcept;

struct PoolAccess {
  static Pool& pool(const ThreadPool& threads) noexcept { return *threads.pool_; }
};

}  // namespace asyncio::inline v0::detail
