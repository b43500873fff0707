// task_group: children that end before the scope does.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/combine/body.hpp>
#include <asyncio/exceptions.hpp>
#include <asyncio/future.hpp>
#include <asyncio/task.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::inline v0 {

/// `limit`: how many children run at a time, the rest waits unstarted; 0 for all.
struct TaskGroupOptions {
  std::size_t limit = 0;
};

namespace detail {
class GroupScope;
struct GroupChild;
struct GroupState;

/// In the frame of what TaskGroup::start() runs: its end wakes whoever still waits for the call.
class ASYNCIO_API StartWatch {
 public:
  explicit StartWatch(Future<bool> future) noexcept : future_(std::move(future)) {}
  StartWatch(StartWatch&&) noexcept = default;
  StartWatch& operator=(StartWatch&&) = delete;
  ~StartWatch();
  /// True if the error is start()'s; else it is the group's.
  bool takes(const std::exception_ptr& error) const;

 private:
  Future<bool> future_;
};
[[noreturn]] ASYNCIO_API void throw_not_started();
}  // namespace detail

/// The first parameter of what TaskGroup::start() runs: calling it says "I am ready".
class ASYNCIO_API Started {
 public:
  /// Lets start() return; calling it again does nothing.
  void operator()() const;

 private:
  friend class TaskGroup;
  explicit Started(Future<bool> future) noexcept : future_(std::move(future)) {}
  Future<bool> future_;
};

/// The children of one task_group().
///
/// Python:  asyncio.TaskGroup.
class ASYNCIO_API TaskGroup {
 public:
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// A child; the group awaits it, so the handle may be dropped.
  /// Throws:  RuntimeError if the group has ended or is being cancelled.
  template <awaitable A>
  auto create_task(A awaitable, const TaskOptions& options = {}) const {
    using T = detail::TaskValue<A>;
    Coro<T> coro = detail::as_coro(std::move(awaitable));
    check_open();
    return adopt(std::move(coro), options);
  }
  template <class F, class... Args>
    requires(!awaitable<F>)
  auto create_task(F callable, const TaskOptions& options = {}, Args... args) const {
    static_assert(coroutine_function<F&, Args&...>,
                  "asyncio: create_task takes a coroutine, or a callable that returns one: write "
                  "[...]() -> asyncio::Coro<T> { ... }, with a parameter for each argument");
    return create_task(detail::call_kept<F, Args...>(std::move(callable), std::move(args)...),
                       options);
  }

  /// Runs `callable(Started&, args...)` as a child and waits until it calls its first argument.
  /// Throws:  what the child throws before that, which is then no error of the group; RuntimeError
  ///          if it ends without calling.
  /// Cancel:  stops the waiting; the child runs on in the group.
  template <class F, class... Args>
  Coro<> start(F callable, Args... args) const {
    const Future<bool> said = new_future();
    create_task(run_started<F, Args...>(Started(said), detail::StartWatch(said),
                                        std::move(callable), std::move(args)...));
    if (!co_await said) detail::throw_not_started();
  }

  /// Cancels the children and the body; the group then ends without an error [R54]. A group whose
  /// body should have given a value and did not throws InvalidStateError.
  void cancel() const noexcept;

 private:
  friend detail::GroupScope;
  explicit TaskGroup(detail::GroupState& state) noexcept : state_(state) {}

  template <class F, class... Args>
  static Coro<> run_started(Started started, detail::StartWatch watch, F callable, Args... args) {
    std::exception_ptr error;
    try {
      co_await callable(started, args...);
    } catch (...) {
      error = std::current_exception();
    }
    if (error && !watch.takes(error)) std::rethrow_exception(std::move(error));
  }
  static Future<bool> new_future();

  void check_open() const;
  /// Room for a child, asked for before there is one to lose.
  detail::GroupChild* make_child() const;
  void drop_child(detail::GroupChild* child) const noexcept;
  void adopt_child(detail::TaskState& task, detail::GroupChild& child, bool eager) const noexcept;

  template <class T>
  Task<T> adopt(Coro<T> coro, const TaskOptions& options) const {
    detail::GroupChild* const child = make_child();
    try {
      detail::LoopBase& loop = detail::require_loop();
      detail::FrameHandle& frame = detail::CoroAccess::frame(coro);
      detail::TaskState& task = *new detail::TaskOf<T>(loop);
      detail::register_task(task, frame, options);
      auto handle = detail::HandleAccess::adopt<Task<T>>(task);
      adopt_child(task, *child, options.eager_start);
      return handle;
    } catch (...) {
      drop_child(child);
      throw;
    }
  }

  detail::GroupState& state_;
};

namespace detail {

/// A group from its first child to its exit.
class ASYNCIO_API GroupScope {
 public:
  explicit GroupScope(std::size_t limit);
  GroupScope(const GroupScope&) = delete;
  GroupScope& operator=(const GroupScope&) = delete;
  ~GroupScope();

  TaskGroup& group() noexcept { return group_; }
  /// Waits for the children; throws what the group ends with, given what the body ended with.
  /// Made before there are children: without memory for it they could not be waited for.
  Coro<> exit(std::exception_ptr& body_error);
  [[noreturn]] static void throw_no_value();

 private:
  GroupState* state_;
  TaskGroup group_;
};

// A frame of its own, so that a body that throws before it is a coroutine is no special case.
template <class F, class... Args>
Coro<BodyValue<F, TaskGroup, Args...>> group_body(F& body, TaskGroup& group, Args&... args) {
  co_return co_await call_body<F, TaskGroup, Args...>(body, group, args...);
}

template <class F, class... Args>
Coro<BodyValue<F, TaskGroup, Args...>> group_scope(TaskGroupOptions options, F body,
                                                   Args... args) {
  GroupScope scope(options.limit);
  std::exception_ptr body_error;
  Coro<> exit = scope.exit(body_error);
  auto end = co_await settle(group_body<F, Args...>(body, scope.group(), args...));
  body_error = end.error();
  co_await std::move(exit);
  if constexpr (std::is_void_v<BodyValue<F, TaskGroup, Args...>>) {
    co_return;
  } else {
    if (end.error()) GroupScope::throw_no_value();  // cut by TaskGroup::cancel()
    co_return end.take();
  }
}

}  // namespace detail

/// Runs `body`, then waits for all the children it made.
///
///     co_await asyncio::task_group([&](asyncio::TaskGroup& group) -> asyncio::Coro<> {
///       group.create_task(fetch("a"));
///       group.create_task(fetch("b"));
///       co_return;
///     });  // both have ended here
///
/// When a child or the body fails, the rest is cancelled and waited for, and everything that failed
/// goes out as one ExceptionGroup [R46]. A child that is cancelled on its own is no error [R47].
///
/// Throws:  ExceptionGroup; KeyboardInterrupt and SystemExit as they are [R55].
/// Cancel:  cancels the children, and waits for them.
/// Python:  asyncio.TaskGroup.
template <class Body>
auto task_group(Body&& body) {
  return detail::group_scope<detail::KeptBody<Body>>(TaskGroupOptions{},
                                                     detail::keep_body<Body>(body));
}
template <class Body, class... Args>
auto task_group(Body&& body, TaskGroupOptions options, Args... args) {
  return detail::group_scope<detail::KeptBody<Body>, Args...>(
      options, detail::keep_body<Body>(body), std::move(args)...);
}
template <class Body, class First, class... Args>
  requires(!std::is_same_v<First, TaskGroupOptions>)
auto task_group(Body&& body, First first, Args... args) {
  return detail::group_scope<detail::KeptBody<Body>, First, Args...>(
      TaskGroupOptions{}, detail::keep_body<Body>(body), std::move(first), std::move(args)...);
}

}  // namespace asyncio::inline v0
