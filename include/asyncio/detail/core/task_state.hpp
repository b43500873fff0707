// A task without its T: its states, its place in the loop, its cancellation.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/intrusive_list.hpp>
#include <asyncio/detail/core/promise.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>

namespace asyncio::inline v0 {
class EventLoop;
}

namespace asyncio::inline v0::detail {

struct CancelRequest;
struct ContextMap;
struct ContextState;
struct DoneCallback;
struct ResultState;
struct TaskState;

/// What waits in the loop's ready queue: a task to go on, or a callback to call.
struct ReadyNode {
  enum class Kind : std::uint16_t { task, callback, future };

  ReadyNode* next = nullptr;
  std::uint32_t references = 1;
  Kind kind;
  std::uint16_t flags = 0;

  explicit ReadyNode(Kind what) noexcept : kind(what) {}
  ReadyNode(const ReadyNode&) = delete;
  ReadyNode& operator=(const ReadyNode&) = delete;

  bool is(unsigned flag) const noexcept { return (flags & flag) != 0; }
  void set(unsigned flag) noexcept { flags = static_cast<std::uint16_t>(flags | flag); }
  void clear(unsigned flag) noexcept { flags = static_cast<std::uint16_t>(flags & ~flag); }
};

/// FIFO of ready nodes [R1]. A node is in it at most once.
struct ReadyQueue {
  ReadyNode* first = nullptr;
  ReadyNode** last = &first;

  ReadyQueue() = default;
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;

  bool empty() const noexcept { return !first; }
  void push(ReadyNode& node) noexcept {
    node.next = nullptr;
    *last = &node;
    last = &node.next;
  }
  /// Takes everything out, as a list that ends with null.
  ReadyNode* take() noexcept {
    ReadyNode* const batch = first;
    first = nullptr;
    last = &first;
    return batch;
  }
};

/// The part of a loop that tasks touch at each step.
struct LoopBase {
  ReadyQueue ready;
  std::uint64_t tasks_made = 0;
  std::uint64_t tasks_ended = 0;
  RingNode tasks;  // all that have not ended, oldest first
  // Not beside `tasks_made`: clang would load both at once, just after one of them was stored.
  std::size_t results = 0;  // tasks and futures that exist, done or not
  std::uint64_t number = 0;  // from 1, in the order made: the next loop may lie where this one lay
  bool debug = false;
  bool has_task_factory = false;

  std::size_t tasks_alive() const noexcept {
    return static_cast<std::size_t>(tasks_made - tasks_ended);
  }
};

/// A context as a task or callback holds it: nothing, an immutable snapshot, or (low bit set) a
/// Context that others may hold too. See context.cpp.
struct ContextBase {
  ContextMap* map = nullptr;  // counted; null: nothing is set
};
struct ContextSlot {
  std::uintptr_t word = 0;

  bool has_values() const noexcept {
    return word && (!(word & 1) || reinterpret_cast<const ContextBase*>(word - 1)->map);
  }
};

/// A task's stand at one suspension, inside the awaiter.
struct ASYNCIO_API Waiter {
  TaskState* task = nullptr;  // null: this await did not suspend

  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Asks what is waited for to end. False: it cannot be asked; the waiter has left the line and
  /// its task takes the CancelledError itself.
  virtual bool cancel(CancelRequest& request) noexcept = 0;
  /// Leaves the line, nothing else. Called when the task is torn down.
  virtual void leave() noexcept = 0;
  /// The task that is waited for, if a cancellation is passed on to it: what cycles are made of.
  virtual TaskState* awaited() const noexcept;

 protected:
  ~Waiter() = default;
};

/// One link in the line of a task or future: who waits for it, or a callback. A Waiter as well, so
/// that most of them, which are both, have one table pointer and not two.
struct ASYNCIO_API Completion : Waiter, RingNode {
  /// The result is there; the link has left the line. Only makes things ready.
  virtual void completed() noexcept = 0;
  /// Asked instead of dynamic_cast: users may compile without type information.
  virtual DoneCallback* as_callback() noexcept;

  bool cancel(CancelRequest& request) noexcept override;
  void leave() noexcept override;

 protected:
  ~Completion() = default;
};

/// What depends on the T.
struct ResultOps {
  std::size_t size;  // of the state with its result
  /// Destroys the result, if there is one. Null where nothing is to be done.
  void (*drop)(ResultState&) noexcept;
  /// Tasks: takes the value out of the root frame. Null for void.
  void (*keep)(TaskState&, PromiseBase& root);
};

/// What Task and Future have in common: an end that others wait for.
///
///     state     | done | error_ is            | waiters_
///     pending   | no   | unused               | who awaits it, and callbacks, in order
///     value     | yes  | null                 | empty
///     failed    | yes  | what was thrown      | empty
///     cancelled | yes  | null, or the CancelledError where that says more than the request | empty
struct ResultState : ReadyNode, Pooled {
  static constexpr unsigned done = 1;
  static constexpr unsigned cancelled = 2;
  static constexpr unsigned seen = 4;    // somebody has asked for the error: no report
  static constexpr unsigned taken = 8;   // the value was moved out
  // Tasks only:
  static constexpr unsigned must_cancel = 16;  // throw at the next resumption [R18, R19]
  static constexpr unsigned interrupted = 32;  // the wait was cut: throw, whatever uncancel says
  static constexpr unsigned detached = 64;     // errors are reported at the end
  static constexpr unsigned asked_to_leave = 256;  // by the loop's shutdown [R72]
  static constexpr unsigned on_walk = 512;         // while CancelRequest looks for cycles
  static constexpr unsigned visited = 128;     // in the cancellation that is under way [R14]

  const ResultOps* ops;
  LoopBase* loop;
  RingNode* waiters = nullptr;  // the oldest; its predecessor is the newest
  std::exception_ptr error;
  std::uint32_t base_chain = 0;  // length of the error's traceback when this ended
  std::uint32_t requests = 0;    // tasks: cancellations asked for and not taken back

  ResultState(Kind what, const ResultOps& how, LoopBase& where) noexcept
      : ReadyNode(what), ops(&how), loop(&where) {
    ++where.results;
  }

  bool is_done() const noexcept { return is(done); }
  bool is_cancelled() const noexcept { return is(cancelled); }

  void retain() noexcept { ++references; }
  ASYNCIO_INLINE void release() noexcept {
    if (--references > 1) return;
    if (references == 0) let_go();
    else if (!is_done()) [[unlikely]] left_to_the_loop();
  }

  ASYNCIO_API void add_waiter(Completion& link) noexcept;
  ASYNCIO_API void remove_waiter(Completion& link) noexcept;
  /// Wakes everybody in line [R12].
  ASYNCIO_API void wake_all() noexcept;

  /// Throws what `result()` throws unless there is a value.
  ASYNCIO_API void require_value() const;
  /// The error or the CancelledError, for a state that is done; null for a value.
  ASYNCIO_API std::exception_ptr failure() const;
  /// The failure, for who raises it: seen, and its traceback back to where it began. The last who
  /// holds the state takes it, and an exception that nobody else holds is raised directly.
  ASYNCIO_API std::exception_ptr take_failure();

 private:
  ASYNCIO_API void let_go() noexcept;
  ASYNCIO_API void left_to_the_loop() noexcept;
  bool last_words() noexcept;
};

/// Task's share; the result follows in TaskOf<T>.
struct TaskState : ResultState {
  // The innermost suspended frame; while the task runs, one that is alive and not inside of those
  // that run. Set by spawn().
  std::coroutine_handle<> resume_at;
  Waiter* waiting = nullptr;          // innermost wait; null while ready or running
  RingNode all;                       // in LoopBase::tasks
  union {
    TaskState* next_cancelled = nullptr;  // in CancelRequest's list
    Where cancelled_at;  // at the end: where CancelledError was raised; null: it says it itself
  };
  std::uintptr_t name = 0;            // an id, or (low bit set) a pointer to TaskName
  ContextSlot context;

  TaskState(const ResultOps& how, LoopBase& where) noexcept
      : ResultState(Kind::task, how, where) {}

  ASYNCIO_API int uncancel() noexcept;

  /// True if CancelledError is due at this resumption; takes the request.
  ASYNCIO_INLINE bool take_cancel() noexcept {
    if (!(flags & (must_cancel | interrupted))) [[likely]] return false;
    clear(must_cancel | interrupted);
    return true;
  }
};

/// Puts a waiting task into the ready queue.
ASYNCIO_INLINE void make_ready(TaskState& task) noexcept {
  task.waiting = nullptr;
  task.loop->ready.push(task);
}

/// Suspends the current task in `waiter`, which is already in its line.
ASYNCIO_INLINE void stand(Waiter& waiter, std::coroutine_handle<> frame) noexcept;

/// From a child that has ended, or yielded, to the frame that awaits it.
// The child may be destroyed next, and get_stack() asked of the task that goes on.
ASYNCIO_INLINE std::coroutine_handle<> return_to(PromiseBase& parent) noexcept {
  const auto frame = PromiseBase::handle_of(parent);
  thread_state.task->resume_at = frame;
  return transfer(frame);
}

ASYNCIO_INLINE std::coroutine_handle<> PromiseBase::Final::await_suspend(
    std::coroutine_handle<> me) noexcept {
  PromiseBase& promise = promise_of(me);
  if (promise.parent) [[likely]] return return_to(*promise.parent);
  thread_state.finished = &promise;
  return std::noop_coroutine();
}

/// Delivers a request that came while the task ran, to the wait it has just begun [R17].
ASYNCIO_API void deliver_late_cancel(TaskState& task) noexcept;

/// The current task's CancelledError, with the message of the request.
ASYNCIO_API Raised cancelled_error() noexcept;
[[noreturn]] ASYNCIO_INLINE void raise_cancelled() { asyncio_raise(cancelled_error()); }

ASYNCIO_INLINE void stand(Waiter& waiter, std::coroutine_handle<> frame) noexcept {
  TaskState& task = *thread_state.task;
  waiter.task = &task;
  task.resume_at = frame;
  task.waiting = &waiter;
  if (task.is(ResultState::must_cancel)) [[unlikely]] deliver_late_cancel(task);
}

}  // namespace asyncio::inline v0::detail
