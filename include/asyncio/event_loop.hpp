// EventLoop: callbacks, timers, posts from other threads, and the loop as somebody's guest.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/shared.hpp>
#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/base/unique_function.hpp>
#include <asyncio/detail/core/callback.hpp>
#include <asyncio/detail/core/frame_entry.hpp>
#include <asyncio/future.hpp>
#include <asyncio/limit.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::inline v0 {

class EventLoop;
class Handle;
class ThreadPool;

namespace detail {
class Deadline;
class Gate;
class Poller;
struct Loop;
struct LoopAccess;
}  // namespace detail

/// What the exception handler is told.
struct ExceptionContext {
  std::string_view message = {};
  std::exception_ptr exception = {};       // null if there is none
  std::optional<AnyTask> task = {};        // whose error it is
  const Handle* handle = nullptr;          // whose callback it was
  std::vector<FrameEntry> traceback = {};  // the coroutines it crossed, outermost first
};

/// Is told of errors that nobody awaits, as `f(EventLoop&, const ExceptionContext&)`; copies mean
/// the same callable.
class ExceptionHandler {
 public:
  /// The default one, which writes to stderr.
  ExceptionHandler(std::nullptr_t = nullptr) noexcept {}  // NOLINT: converting on purpose
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, ExceptionHandler> &&
             std::is_invocable_v<std::decay_t<F>&, EventLoop&, const ExceptionContext&>)
  ExceptionHandler(F&& callable)  // NOLINT: converting, as std::function
      : shared_(detail::Shared<Function>::make(std::forward<F>(callable))) {}

  /// False for the default one.
  explicit operator bool() const noexcept { return static_cast<bool>(shared_); }
  bool operator==(std::nullptr_t) const noexcept { return !shared_; }

  void operator()(EventLoop& loop, const ExceptionContext& context) const {
    (*shared_)(loop, context);
  }

 private:
  using Function = detail::UniqueFunction<void(EventLoop&, const ExceptionContext&)>;

  detail::Shared<Function> shared_;
};

struct LoopMetrics;

/// A callback that was given to a loop; copies mean the same callback.
/// Python:  asyncio.Handle.
class ASYNCIO_API Handle {
 public:
  Handle() noexcept = default;
  explicit Handle(detail::CallbackNode& node) noexcept : node_(&node) {}  // takes a count over
  Handle(const Handle& other) noexcept : node_(other.node_) {
    if (node_) node_->retain();
  }
  Handle(Handle&& other) noexcept : node_(detail::taken(other.node_)) {}
  Handle& operator=(Handle other) noexcept {
    detail::swap_plain(node_, other.node_);
    return *this;
  }
  ~Handle() {
    if (node_) node_->release();
  }

  /// The callback is not called any more; what it holds is let go of at once [R5].
  void cancel() noexcept;
  bool cancelled() const noexcept {
    return node_ && node_->is(detail::CallbackNode::cancelled);
  }

 protected:
  detail::CallbackNode* node_ = nullptr;
};

/// "Work for this loop is out in the world": testing::run() waits for it instead of jumping in
/// time. Movable; may be released in any thread.
class ASYNCIO_API Hold {
 public:
  explicit Hold(detail::Gate& gate) noexcept;
  Hold(Hold&& other) noexcept : gate_(detail::taken(other.gate_)) {}
  Hold& operator=(Hold&& other) noexcept {
    detail::swap_plain(gate_, other.gate_);
    return *this;
  }
  ~Hold();

 private:
  detail::Gate* gate_;  // counted; outlives the loop
};

class TimerHandle;

/// Runs tasks, callbacks and timers in one thread.
///
/// Loops come from run(), Runner, testing::run() and new_event_loop(); get_running_loop() gives the
/// one that runs now.
///
/// Thread:  only call_soon_threadsafe() may be called from other threads; debug mode checks [R7].
/// Python:  asyncio.AbstractEventLoop.
class ASYNCIO_API EventLoop {
 public:
  /// The loop's clock: monotonic, and virtual under testing::run().
  struct Clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Clock, duration>;
    static constexpr bool is_steady = true;
  };

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  /// close()s it.
  ~EventLoop();

  // ---- time

  Clock::time_point now() const;
  /// now() in seconds.
  double time() const;

  // ---- callbacks

  /// Calls `fn(args...)` on the next turn, in the order asked [R1].
  template <class F, class... Args>
  Handle call_soon(F fn, Args... args);
  /// Calls it `delay` from now; at once if that is negative [R3].
  template <class Rep, class Period, class F, class... Args>
  TimerHandle call_later(std::chrono::duration<Rep, Period> delay, F fn, Args... args);
  /// Calls it at a point of the clock, as `loop.now() + 1.5s`.
  /// Throws:  std::invalid_argument if that is not a number.
  template <class F, class... Args>
  TimerHandle call_at(detail::Deadline when, F fn, Args... args);
  /// call_soon() from any thread; wakes the loop if it sleeps. On the loop's own thread it keeps
  /// its place among the call_soon()s.
  /// Throws:  RuntimeError if the loop is closed.
  template <class F, class... Args>
  Handle call_soon_threadsafe(F fn, Args... args);

  // ---- tasks and futures

  template <class T = void>
  Future<T> create_future();
  template <awaitable A>
  [[nodiscard]] auto create_task(A awaitable, const TaskOptions& options = {});
  template <class F, class... Args>
    requires(!awaitable<F>)
  [[nodiscard]] auto create_task(F callable, const TaskOptions& options = {}, Args... args);
  /// `factory(EventLoop&, AnyTask)` sees each new task before its first step; what it throws leaves
  /// create_task(). An empty one takes it away.
  void set_task_factory(detail::UniqueFunction<void(EventLoop&, AnyTask)> factory);

  /// Runs `fn(args...)` in a thread of `pool`, or of the default one for null. The context is not
  /// carried over, as to_thread() does [R86]. Defined in <asyncio/threads.hpp>.
  template <class F, class... Args>
  auto run_in_executor(ThreadPool* pool, F&& fn, Args&&... args);
  /// `pool`: a std::shared_ptr<ThreadPool>, for to_thread() and run_in_executor(nullptr, ...) from
  /// now on. close() shuts it down and waits for its calls [R71].
  template <class Pool>
  void set_default_executor(Pool pool);
  /// Waits for the calls of the default executor, and ends its threads; later calls throw
  /// RuntimeError.
  Coro<> shutdown_default_executor();

  // ---- errors

  /// Is called with what nobody awaited; an empty one restores the default, which writes to stderr.
  void set_exception_handler(ExceptionHandler handler) noexcept;
  ExceptionHandler get_exception_handler() const noexcept;
  void default_exception_handler(const ExceptionContext& context);
  void call_exception_handler(const ExceptionContext& context);

  bool get_debug() const noexcept;
  void set_debug(bool debug) noexcept;
  /// Callbacks that take longer are reported in debug mode; 100 ms unless set.
  void set_slow_callback_duration(Clock::duration duration) noexcept;

  // ---- running

  /// Ends run_forever() after the turn that is under way; called before it, after one turn [R6].
  void stop();
  void run_forever();
  /// Runs until it is done, and gives its result.
  /// Throws:  RuntimeError if the loop is stopped before, or runs already.
  template <awaitable A>
  auto run_until_complete(A awaitable);
  bool is_running() const noexcept;
  bool is_closed() const noexcept;
  /// Cancels what is left, waits for it and frees everything; twice is harmless.
  /// Throws:  RuntimeError while it runs.
  void close();

  // ---- as a guest in somebody else's loop

  /// Becomes readable when there is something to do, timers apart, from this call on.
  int fileno() const;
  /// When to call run_ready() even if fileno() says nothing: now, if something is ready; empty if
  /// there is no timer. Ask before each sleep.
  std::optional<Clock::time_point> next_deadline() const;
  /// Does what is due, at most `callbacks` of it, and never sleeps. True if something is left.
  bool run_ready(std::size_t callbacks = static_cast<std::size_t>(-1));

  Hold hold();
  LoopMetrics metrics() const;

 private:
  friend detail::LoopAccess;
  explicit EventLoop(detail::Poller*& poller);  // takes it over, and leaves null

  // Each takes a callback over, or destroys it and throws.
  Handle push(detail::CallbackNode* node);
  TimerHandle arm(detail::TimedCallback* node, detail::Ticks when);
  Handle post(detail::PostedCallback* node);
  detail::LoopBase& base() const noexcept;
  detail::LoopBase& open_base(const char* what) const;
  bool is_elsewhere() const noexcept;
  void run_until(detail::ResultState& state);

  detail::Loop* loop_;
};

/// A timer that was given to a loop.
/// Python:  asyncio.TimerHandle.
class ASYNCIO_API TimerHandle : public Handle {
 public:
  using Handle::Handle;
  EventLoop::Clock::time_point when() const noexcept;
};

namespace detail {

/// A point of the loop's clock, in any unit, or std::nullopt for never: what a Limit is for
/// durations.
class Deadline {
 public:
  Deadline() noexcept = default;
  Deadline(std::nullopt_t) noexcept {}  // NOLINT: converting on purpose
  template <class Duration>
  Deadline(std::chrono::time_point<EventLoop::Clock, Duration> when)  // NOLINT
      : ticks_(ticks_of(when.time_since_epoch())) {
    using Rep = typename Duration::rep;
    if constexpr (std::is_floating_point_v<Rep>) {
      static_assert(sizeof(Rep) >= sizeof(double),
                    "asyncio: a point in time is too large a number for a float: reckon in double");
      // now() + 1.5s was rounded, to 53 bits, and perhaps down.
      ticks_ = later(ticks_, ticks_ >> 52);
    }
  }
  template <class Duration>
  Deadline(std::optional<std::chrono::time_point<EventLoop::Clock, Duration>> when)  // NOLINT
      : Deadline(when ? Deadline(*when) : Deadline()) {}

  Ticks ticks() const noexcept { return ticks_; }

 private:
  Ticks ticks_ = never;
};

}  // namespace detail

/// What a loop has done so far, and what it has to do.
struct LoopMetrics {
  std::uint64_t turns = 0;
  std::uint64_t callbacks = 0;  // and steps of tasks
  std::uint64_t tasks_made = 0;
  std::uint64_t posts = 0;  // from other threads
  std::size_t tasks_alive = 0;
  std::size_t ready = 0;
  std::size_t timers = 0;
  EventLoop::Clock::duration asleep{};
  EventLoop::Clock::duration longest_callback{};  // measured in debug mode
  // Errors and cancellations on their way through a co_await, in this thread: to the handler at
  // once, or searched for it by the unwinder.
  std::uint64_t raised_directly = 0;
  std::uint64_t raised_by_unwinding = 0;
};

template <class F, class... Args>
Handle EventLoop::call_soon(F fn, Args... args) {
  return push(new detail::Callback<detail::CallbackNode, F, Args...>(base(), std::move(fn),
                                                                     std::move(args)...));
}

template <class Rep, class Period, class F, class... Args>
TimerHandle EventLoop::call_later(std::chrono::duration<Rep, Period> delay, F fn, Args... args) {
  const detail::Ticks ticks = detail::ticks_of(delay);
  return arm(new detail::Callback<detail::TimedCallback, F, Args...>(base(), std::move(fn),
                                                                     std::move(args)...),
             detail::later(detail::loop_now(base()), ticks));
}

template <class F, class... Args>
TimerHandle EventLoop::call_at(detail::Deadline when, F fn, Args... args) {
  return arm(new detail::Callback<detail::TimedCallback, F, Args...>(base(), std::move(fn),
                                                                     std::move(args)...),
             when.ticks());
}

template <class F, class... Args>
Handle EventLoop::call_soon_threadsafe(F fn, Args... args) {
  if (!is_elsewhere()) return call_soon(std::move(fn), std::move(args)...);
  return post(new detail::Callback<detail::PostedCallback, F, Args...>(base(), std::move(fn),
                                                                       std::move(args)...));
}

template <class T>
Future<T> EventLoop::create_future() {
  return detail::HandleAccess::adopt<Future<T>>(
      *new detail::FutureOf<T>(open_base("create_future")));
}

template <awaitable A>
auto EventLoop::create_task(A awaitable, const TaskOptions& options) {
  using T = detail::TaskValue<A>;
  detail::LoopBase& loop = open_base("create_task");
  Coro<T> coro = detail::as_coro(std::move(awaitable));
  detail::FrameHandle& frame = detail::CoroAccess::frame(coro);
  auto& task = *new detail::TaskOf<T>(loop);
  detail::spawn(task, frame, options);
  return detail::HandleAccess::adopt<Task<T>>(task);
}

template <class F, class... Args>
  requires(!awaitable<F>)
auto EventLoop::create_task(F callable, const TaskOptions& options, Args... args) {
  static_assert(coroutine_function<F&, Args&...>,
                "asyncio: create_task takes a coroutine, or a callable that returns one: write "
                "[...]() -> asyncio::Coro<T> { ... }, with a parameter for each argument");
  return create_task(detail::call_kept<F, Args...>(std::move(callable), std::move(args)...),
                     options);
}

template <awaitable A>
auto EventLoop::run_until_complete(A awaitable) {
  if constexpr (detail::is_task<A>) {
    run_until(detail::HandleAccess::state(awaitable));
    return std::move(awaitable).result();
  } else {
    auto task = create_task(std::move(awaitable));
    run_until(detail::HandleAccess::state(task));
    return std::move(task).result();
  }
}

/// Throws:  RuntimeError outside of a loop.
ASYNCIO_API EventLoop& get_running_loop();
/// Null outside of a loop.
ASYNCIO_API EventLoop* running_loop() noexcept;
}  // namespace asyncio::inline v0
