// to_thread, ThreadPool, run_in_executor and run_coroutine_threadsafe: between threads and loops.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/threads/job.hpp>
#include <asyncio/detail/threads/safe_state.hpp>
#include <asyncio/event_loop.hpp>
#include <asyncio/future.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

// Who names a std::future has included <future> already; for everybody else it would be a fifth
// more to parse. Where its templates cannot be declared like this, it is included after all.
#if defined(__GLIBCXX__) && !_GLIBCXX_INLINE_VERSION
namespace std {
template <class T>
class future;
template <class T>
class promise;
}  // namespace std
#else
#include <future>
#endif

namespace asyncio::inline v0 {

/// Threads for calls that block.
///
///     asyncio::ThreadPool pool(2);
///     int n = co_await asyncio::get_running_loop().run_in_executor(&pool, count_words, path);
///
/// A thread is started when a call comes, none is idle and there are fewer than `max_workers`; it
/// stays until the pool goes. Most programs need none of their own: to_thread() uses the loop's.
///
/// Order:   calls begin in the order given.
/// Thread:  any.
/// Python:  concurrent.futures.ThreadPoolExecutor.
class ASYNCIO_API ThreadPool {
 public:
  /// min(32, cores + 4) threads at most.
  ThreadPool();
  /// Throws:  std::invalid_argument for 0.
  explicit ThreadPool(std::size_t max_workers);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// shutdown(true).
  ~ThreadPool();

  /// Takes no more calls. Those that were given still run; `wait`s for their end. Twice is
  /// harmless.
  void shutdown(bool wait = true);

  std::size_t max_workers() const noexcept;
  /// How many threads there are.
  std::size_t workers() const;

 private:
  friend detail::PoolAccess;

  detail::Pool* pool_;  // counted; its threads hold it too
};

/// What to_thread() returns.
template <class R>
class [[nodiscard("asyncio: nothing runs yet: co_await it or give it to create_task()")]]
ToThread {
 public:
  explicit ToThread(detail::JobOf<R, detail::AwaitedJob>& job) noexcept : job_(&job) {}
  ToThread(ToThread&& other) noexcept : job_(detail::taken(other.job_)) {}
  ToThread& operator=(ToThread&& other) noexcept {
    detail::swap_plain(job_, other.job_);
    return *this;
  }
  ~ToThread() {
    if (job_) job_->release();
  }

  detail::ThreadAwaiter<R> operator co_await() && {
    if (!job_) [[unlikely]] detail::throw_empty_call();
    return detail::ThreadAwaiter<R>(*detail::taken(job_));
  }

 private:
  detail::JobOf<R, detail::AwaitedJob>* job_;  // counted
};

/// Runs a function that blocks in another thread, while the loop goes on.
///
///     std::string text = co_await asyncio::to_thread(read_file, "notes.txt");
///
/// The function and its arguments are copied, or moved in; the thread destroys them after the call.
/// It runs in a copy of the caller's context [R86]. A function whose first parameter is a
/// std::stop_token gets one, which asks it to stop when nobody waits any more; <stop_token> is then
/// yours to include.
///
/// Cancel:  returns at once. A call that has not begun never does; one that has runs on: it must
///          not refer to what the caller owns [R87]. Its result is dropped, an error reported.
/// Throws:  what the function throws; RuntimeError after loop.shutdown_default_executor().
/// Python:  asyncio.to_thread.
template <class F, class... Args>
auto to_thread(F&& fn, Args&&... args) {
  using R = detail::CallResult<std::decay_t<F>, std::decay_t<Args>...>;
  static_assert(!detail::is_coro<R>,
                "asyncio: to_thread takes a plain function; a coroutine blocks nothing: co_await "
                "it");
  return ToThread<R>(*detail::new_call<detail::JobOf<R, detail::AwaitedJob>>(
      std::forward<F>(fn), std::forward<Args>(args)...));
}

namespace detail {

struct SafeAccess;

/// A job whose end is a Future's. Has a count of its own while it is among the loop's errands: the
/// future's count is the loop's thread's, and must not go with the job in another.
template <class R>
class FutureJob : public JobOf<R, ThreadJob>, public Errand, public Completion {
 public:
  /// On error it has not begun.
  Future<R> start(LoopBase& where, Pool& pool) {
    auto future = HandleAccess::adopt<Future<R>>(*new FutureOf<R>(where));
    this->submit(where, pool);
    future_ = future;
    HandleAccess::state(future).add_waiter(*this);
    add_errand(where, *this);
    return future;
  }

  /// It is home.
  void call() override {
    const Future<R> future = let_go();
    if (!future) return;
    if (this->error) {
      future.set_exception(std::move(this->error));
      return;
    }
    try {
      if constexpr (std::is_void_v<R>) future.set_result();
      else future.set_result(this->result.take());
    } catch (...) {
      future.set_exception(std::current_exception());  // of the result's move
    }
  }
  /// The future was cancelled: nothing else ends it while we stand in its line.
  void completed() noexcept override { leave_behind(); }
  /// The loop closes.
  void leave_behind() noexcept override {
    this->abandon();
    let_go();
  }

 private:
  Future<R> let_go() noexcept {
    Future<R> future = std::move(future_);
    if (future) {
      if (!future.done()) HandleAccess::state(future).remove_waiter(*this);
      Errand::unlink();
      this->release();
    }
    return future;
  }

  Future<R> future_;  // empty once it is home or left behind
};

/// Starts a new job, or lets it go.
template <class R>
Future<R> start_call(FutureJob<R>& job, LoopBase& where, Pool& pool) {
  try {
    return job.start(where, pool);
  } catch (...) {
    job.release();
    throw;
  }
}

}  // namespace detail

template <class F, class... Args>
auto EventLoop::run_in_executor(ThreadPool* pool, F&& fn, Args&&... args) {
  using R = detail::CallResult<std::decay_t<F>, std::decay_t<Args>...>;
  static_assert(!detail::is_coro<R>,
                "asyncio: run_in_executor takes a plain function; a coroutine blocks nothing: "
                "co_await it");
  detail::LoopBase& loop = open_base("run_in_executor");
  detail::Pool& threads = detail::pool_of(loop, pool);
  return detail::start_call(*detail::new_call<detail::FutureJob<R>>(std::forward<F>(fn),
                                                                    std::forward<Args>(args)...),
                            loop, threads);
}

template <class Pool>
void EventLoop::set_default_executor(Pool pool) {
  static_assert(std::is_same_v<decltype(pool.get()), ThreadPool*>,
                "asyncio: the default executor is a std::shared_ptr<asyncio::ThreadPool>");
  detail::LoopBase& loop = open_base("set_default_executor");
  ThreadPool* const threads = pool.get();
  detail::set_executor(loop, threads, new detail::KeptAs<Pool>(std::move(pool)));
}

/// A task's result, for other threads; a handle that can be copied.
///
/// Cancel:  cancel() ends the future at once, and asks the task to end.
/// Thread:  any; get() and wait() block.
/// Python:  concurrent.futures.Future.
template <class T = void>
class ThreadsafeFuture {
 public:
  ThreadsafeFuture() noexcept = default;
  ThreadsafeFuture(const ThreadsafeFuture& other) noexcept : state_(other.state_) {
    if (state_) state_->retain();
  }
  ThreadsafeFuture(ThreadsafeFuture&& other) noexcept
      : state_(detail::taken(other.state_)) {}
  ThreadsafeFuture& operator=(ThreadsafeFuture other) noexcept {
    detail::swap_plain(state_, other.state_);
    return *this;
  }
  ~ThreadsafeFuture() {
    if (state_) state_->release();
  }
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// Blocks until it is done. Gives a copy, as often as wanted; what cannot be copied is moved out,
  /// once.
  /// Throws:  what the task threw; CancelledError; RuntimeError if the loop was closed before the
  ///          task began, and in the loop's own thread, where it would wait for itself.
  T get() const { return state().get(); }
  void wait() const { state().wait(); }
  /// Blocks for at most `limit`; true if it is done.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> limit) const {
    return state().wait_for(detail::ticks_of(limit));
  }

  bool done() const { return state().done(); }
  bool cancelled() const { return state().cancelled(); }
  /// False if it is done already.
  bool cancel() const { return state().cancel(); }

  /// Calls `fn(ThreadsafeFuture<T>)` when it is done: in the loop's thread, in the one that
  /// cancels, or at once.
  template <class F>
  void add_done_callback(F fn) const {
    struct Bound final : detail::SafeCallback {
      explicit Bound(F&& given) : callable(std::move(given)) {}
      void call(detail::SafeState& done) override {
        done.retain();
        callable(ThreadsafeFuture(static_cast<detail::SafeStateOf<T>&>(done)));
      }
      F callable;
    };
    state().add_callback(new Bound(std::move(fn)));
  }

  /// A std::future cannot cancel; a cancellation is a CancelledError in it.
  operator std::future<T>() const {  // NOLINT: converting on purpose
    std::promise<T> promise;
    std::future<T> future = promise.get_future();
    add_done_callback([promise = std::move(promise)](const ThreadsafeFuture& self) mutable {
      try {
        if constexpr (std::is_void_v<T>) {
          self.get();
          promise.set_value();
        } else {
          promise.set_value(self.get());
        }
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    });
    return future;
  }

 private:
  friend detail::SafeAccess;

  // Takes a count over.
  explicit ThreadsafeFuture(detail::SafeStateOf<T>& state) noexcept : state_(&state) {}
  detail::SafeStateOf<T>& state() const {
    if (!state_) detail::throw_empty_handle();
    return *state_;
  }

  detail::SafeStateOf<T>* state_ = nullptr;
};

namespace detail {

/// The library's way into a ThreadsafeFuture.
struct SafeAccess {
  template <class T>
  static ThreadsafeFuture<T> adopt(SafeStateOf<T>& state) noexcept {
    return ThreadsafeFuture<T>(state);
  }
};

}  // namespace detail

/// Runs an awaitable as a task of a loop in another thread.
///
///     asyncio::ThreadsafeFuture<int> answer = asyncio::run_coroutine_threadsafe(ask(), loop);
///     int n = answer.get();
///
/// The task starts in a copy of the calling thread's context. A task factory that throws is
/// reported to both sides [R88].
///
/// Throws:  RuntimeError if the loop is closed. One that is closed later ends the future with an
///          error.
/// Thread:  any; the loop must not be destroyed during the call.
/// Python:  asyncio.run_coroutine_threadsafe.
template <awaitable A>
auto run_coroutine_threadsafe(A coroutine, EventLoop& loop) {
  using T = detail::TaskValue<A>;
  auto* const state = new detail::SafeStateOf<T>(loop);
  ThreadsafeFuture<T> future = detail::SafeAccess::adopt(*state);
  loop.call_soon_threadsafe(
      [coroutine = std::move(coroutine), link = detail::SafeLink<T>(*state)]() mutable {
        if (link->done()) {  // cancelled before it began
          const detail::Silence silence;
          [[maybe_unused]] const A dropped = std::move(coroutine);
          return;
        }
        try {
          const auto task = create_task(std::move(coroutine));
          auto& running = static_cast<detail::TaskState&>(detail::HandleAccess::state(task));
          link->keep_task(running);
          detail::settle_when_done(running, std::move(link));
        } catch (...) {
          if (link) link->fail(std::current_exception());
          throw;
        }
      });
  return future;
}

/// A std::future as a Future of the running loop.
///
/// A thread of its own waits for it: one of a pool would be lost to the calls that the std::future
/// may itself be waiting for. It ends when the std::future does, even if nobody waits any more.
///
/// Throws:  InvalidStateError if it has no state.
/// Python:  asyncio.wrap_future.
template <class T>
Future<T> wrap_future(std::future<T> future) {
  if (!future.valid()) detail::throw_empty_handle();
  const auto wait = [](std::future<T>&& waited) -> T { return waited.get(); };
  detail::LoopBase& loop = detail::require_loop();
  const detail::LonePool pool;
  return detail::start_call(
      *detail::new_call<detail::FutureJob<T>>(wait, std::move(future)), loop, *pool);
}

}  // namespace asyncio::inline v0
