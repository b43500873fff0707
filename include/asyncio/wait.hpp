// wait and as_completed: tasks that are somebody else's, as they end.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/combine/join.hpp>
#include <asyncio/gather.hpp>
#include <asyncio/limit.hpp>
#include <asyncio/task.hpp>
#include <asyncio/timeout.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::inline v0 {

/// When wait() returns, under Python's names below.
enum class ReturnWhen { first_completed, first_exception, all_completed };
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::first_completed;
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::first_exception;
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::all_completed;

/// How long and until when wait() waits.
struct WaitOptions {
  Limit timeout = std::nullopt;
  ReturnWhen return_when = ALL_COMPLETED;
};

/// What wait() found, each in the order given.
template <class H>
struct WaitResult {
  std::vector<H> done;
  std::vector<H> pending;
};

namespace detail {

template <class H>
constexpr bool is_task_handle = std::is_base_of_v<TaskHandle, H>;

/// Waits for children that are set; never throws for one of them, cancels none.
ASYNCIO_API Coro<> wait_children(JoinChild* children, std::size_t count, Limit timeout,
                                 ReturnWhen return_when);
[[noreturn]] ASYNCIO_API void throw_nothing_to_wait_for();

template <class H, class Range>
Coro<WaitResult<H>> wait_range(Range range, WaitOptions options) {
  JoinChildren children(count_of(range));
  if (children.size() == 0) throw_nothing_to_wait_for();
  std::size_t index = 0;
  for (const H& task : range) start_child(task, children[index++]);
  co_await wait_children(children.data(), children.size(), options.timeout, options.return_when);
  WaitResult<H> result;
  for (const H& task : range) (task.done() ? result.done : result.pending).push_back(task);
  co_return result;
}

}  // namespace detail

/// Waits until some or all of the tasks are done, or the time is up. Neither throws for a task nor
/// cancels one, and gives what is done and what is not, each in the order given [R30].
///
///     auto [done, pending] = co_await asyncio::wait(tasks, {.timeout = 1s});
///
/// With FIRST_EXCEPTION a task that was cancelled does not count as failed.
/// Throws:  std::invalid_argument if there is nothing to wait for.
/// Python:  asyncio.wait; a coroutine does not compile, create_task() it first.
template <class Range>
auto wait(Range range, WaitOptions options = {}) {
  using H = detail::RangeItem<Range>;
  static_assert(detail::is_task_handle<H>,
                "asyncio: wait() takes Tasks: create_task() each coroutine and keep the handles");
  return detail::wait_range<H, Range>(std::move(range), options);
}

namespace detail {

class AsCompletedQueue;

/// The part of AsCompleted that knows no types.
class ASYNCIO_API AsCompletedBase {
 public:
  AsCompletedBase(std::size_t count, Limit timeout);
  AsCompletedBase(AsCompletedBase&& other) noexcept
      : queue_(taken(other.queue_)) {}
  AsCompletedBase& operator=(AsCompletedBase&& other) noexcept {
    swap_plain(queue_, other.queue_);
    return *this;
  }
  ~AsCompletedBase();

  void add(ResultState& state);
  /// The index of the next that is done; -1 when all were given.
  Coro<std::ptrdiff_t> next_index();

 private:
  AsCompletedQueue* queue_;
};

}  // namespace detail

/// What as_completed() returns.
template <class H>
class [[nodiscard]] AsCompleted {
 public:
  template <class Range>
  AsCompleted(const Range& range, Limit timeout)
      : base_(static_cast<std::size_t>(std::distance(std::begin(range), std::end(range))),
              timeout) {
    for (const H& task : range) {
      tasks_.push_back(task);
      base_.add(detail::HandleAccess::state(task));
    }
  }

  /// The next task that is done, the very handle that was given; empty after the last.
  /// Throws:  TimeoutError once the time is up; nothing is cancelled [R31].
  Coro<std::optional<H>> next() {
    const std::ptrdiff_t index = co_await base_.next_index();
    if (index < 0) co_return std::nullopt;
    co_return tasks_[static_cast<std::size_t>(index)];
  }

 private:
  std::vector<H> tasks_;
  detail::AsCompletedBase base_;
};

/// The tasks in the order in which they end.
///
///     auto finished = asyncio::as_completed(tasks, 10s);   // the clock starts here
///     while (auto task = co_await finished.next()) use(co_await *task);
///
/// Python:  asyncio.as_completed; a coroutine does not compile, create_task() it first.
template <class Range>
auto as_completed(const Range& range, Limit timeout = std::nullopt) {
  using H = detail::RangeItem<Range>;
  static_assert(
      detail::is_task_handle<H>,
      "asyncio: as_completed() takes Tasks: create_task() each coroutine and keep the handles");
  return AsCompleted<H>(range, timeout);
}

}  // namespace asyncio::inline v0
