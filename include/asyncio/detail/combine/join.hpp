// Starting n, waiting for k, cancelling the rest, joining all: the engine of the combinators.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/detail/core/cancel.hpp>
#include <asyncio/detail/core/task_state.hpp>
#include <asyncio/detail/core/value_in_std.hpp>
#include <asyncio/future.hpp>
#include <asyncio/task.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

class JoinSet;

/// One that is waited for. Lives in an array of the combinator's frame.
class ASYNCIO_API JoinChild : public Completion {
 public:
  JoinChild() noexcept;
  ~JoinChild();

  /// Takes over one count of `state`. Owned children are cancelled and joined before anything
  /// leaves the combinator [R9]; the others belong to somebody else.
  void set(ResultState& state, bool owned) noexcept {
    state_ = reinterpret_cast<std::uintptr_t>(&state) | (owned ? owned_bit : 0);
  }
  ResultState& state() const noexcept {
    return *reinterpret_cast<ResultState*>(state_ & ~owned_bit);
  }
  bool is_set() const noexcept { return state_ != 0; }
  bool owned() const noexcept { return (state_ & owned_bit) != 0; }

  void completed() noexcept override;

 private:
  friend JoinSet;

  // A gather of 100,000 has as many of these: the flag has no word of its own.
  static constexpr std::uintptr_t owned_bit = 1;

  std::uintptr_t state_ = 0;  // counted
  JoinSet* set_ = nullptr;    // while it waits
};

/// The children of one combinator. Must outlive them.
///
///     a child is | pending_        | set_  | when it is done
///     not begun  | not counted     | null  | -
///     waiting    | counted; in the | this  | the first failure is noted, and the waiter woken if
///                | line of state   |       | that is what it waits for
///     done       | not counted     | null  | -
class ASYNCIO_API JoinSet {
 public:
  enum class Until : unsigned char {
    all,
    owned,
    first_failure,    // or cancellation
    first_exception,  // a cancellation is none [R30]
    first_done,
    each
  };

  /// `passes_cancel`: a cancellation of the waiter goes to all children, and it waits for them.
  explicit JoinSet(bool passes_cancel) noexcept;
  JoinSet(const JoinSet&) = delete;
  JoinSet& operator=(const JoinSet&) = delete;

  void watch(JoinChild* children, std::size_t count) noexcept {
    children_ = children;
    count_ = count;
  }
  /// Begins to wait for a child that is set.
  void begin(JoinChild& child) noexcept;
  /// Stops waiting for it.
  void forget(JoinChild& child) noexcept;
  void forget_all() noexcept;
  /// Ends the wait, whatever it is for.
  void stop() noexcept;

  std::size_t pending() const noexcept { return pending_; }
  std::size_t pending_owned() const noexcept { return pending_owned_; }
  bool any_done() const noexcept { return any_done_; }
  /// The first that failed, in order of completion; null if none has.
  JoinChild* failed() const noexcept { return failed_; }
  /// With Until::first_done: which was done first; of several, the first in the order given.
  std::size_t winner() const noexcept { return winner_; }
  void decide() noexcept;
  /// True once the waiter was cancelled.
  bool cancelled() const noexcept { return cancelled_; }

  void cancel_owned() noexcept;
  void cancel_all() noexcept;
  /// No error of a child is reported any more: the combinator's own speaks for them [R26].
  void silence() noexcept;

  class ASYNCIO_API Wait : public Awaiter, public Waiter {
   public:
    Wait(JoinSet& set, Until until) noexcept : set_(set), until_(until) {
      set.pending_before_ = set.pending_;
    }
    bool await_ready() const noexcept { return set_.reached(until_); }
    void await_suspend(std::coroutine_handle<> frame) noexcept {
      set_.waiter_ = this;
      stand(*this, frame);
    }
    void await_resume() noexcept;
    bool cancel(CancelRequest& request) noexcept override;
    void leave() noexcept override;
    TaskState* awaited() const noexcept override;

   private:
    friend JoinSet;
    JoinSet& set_;
    Until until_;
  };
  class [[nodiscard]] WaitFor {
   public:
    WaitFor(JoinSet& set, Until until) noexcept : set_(set), until_(until) {}
    Wait operator co_await() && noexcept { return Wait(set_, until_); }

   private:
    JoinSet& set_;
    Until until_;
  };
  /// Never throws: cancelled() says whether the waiter was cancelled.
  WaitFor wait(Until until) noexcept { return WaitFor(*this, until); }

 private:
  friend JoinChild;

  bool reached(Until until) const noexcept;
  void child_done(JoinChild& child) noexcept;

  JoinChild* children_ = nullptr;
  std::size_t count_ = 0;
  std::size_t pending_ = 0;
  std::size_t pending_owned_ = 0;
  std::size_t pending_before_ = 0;  // when the wait began
  std::size_t winner_ = 0;
  JoinChild* failed_ = nullptr;
  Wait* waiter_ = nullptr;
  const bool passes_cancel_;
  bool any_done_ = false;
  bool any_exception_ = false;
  bool stopped_ = false;
  bool cancelled_ = false;
};

/// Starts child number `index` of a combinator: sets `child`. May throw.
struct ChildStarter {
  virtual void start(std::size_t index, JoinChild& child) = 0;

 protected:
  ~ChildStarter() = default;
};

struct JoinPlan {
  JoinChild* children;
  std::size_t count;
  std::size_t limit;  // how many at a time
  JoinSet::Until until;
};

/// Starts the children and waits as planned, then cancels and joins what is owned and still runs.
/// Throws:  CancelledError if the caller was cancelled; an error of starting; with
///          Until::first_failure, that failure.
ASYNCIO_API Coro<> join_children(JoinSet& set, JoinPlan plan, ChildStarter& starter);

/// Sets a child to an awaitable: a Task or Future is somebody else's, the rest becomes a task.
template <class A>
void start_child(A&& awaitable, JoinChild& child) {
  using Plain = std::remove_cvref_t<A>;
  if constexpr (result_handle<Plain>) {
    ResultState& state = HandleAccess::state(awaitable);
    state.retain();
    child.set(state, false);
  } else {
    using T = TaskValue<Plain>;
    Coro<T> coro = as_coro(std::move(awaitable));
    LoopBase& loop = require_loop();
    FrameHandle& frame = CoroAccess::frame(coro);
    TaskState& task = *new TaskOf<T>(loop);
    spawn(task, frame);
    child.set(task, true);
  }
}

template <class A>
struct ChildOf {
  using Value = TaskValue<A>;
  using State = TaskOf<Value>;
};
template <class T>
struct ChildOf<Future<T>> {
  using Value = T;
  using State = FutureOf<T>;
};
template <>
struct ChildOf<AnyTask> {
  using Value = void;
  using State = ResultState;
};

/// The result of a child that has one.
template <class A>
ValueInStd<typename ChildOf<A>::Value> value_of_child(JoinChild& child) {
  using T = typename ChildOf<A>::Value;
  child.state().require_value();
  if constexpr (std::is_void_v<T>) return {};
  else return take_result<T>(static_cast<typename ChildOf<A>::State&>(child.state()), 1);
}

template <class A>
Outcome<typename ChildOf<A>::Value> outcome_of_child(JoinChild& child) {
  using T = typename ChildOf<A>::Value;
  if constexpr (std::is_same_v<A, AnyTask>) {
    return outcome_of_any<Outcome<T>>(child.state());
  } else {
    return outcome_of<T>(static_cast<typename ChildOf<A>::State&>(child.state()));
  }
}

/// Room for a number of children that is known at run time, counted exactly.
class JoinChildren {
 public:
  explicit JoinChildren(std::size_t count) : count_(count), array_(new JoinChild[count]) {}
  JoinChildren(const JoinChildren&) = delete;
  JoinChildren& operator=(const JoinChildren&) = delete;
  ~JoinChildren() { delete[] array_; }

  std::size_t size() const noexcept { return count_; }
  JoinChild* data() noexcept { return array_; }
  JoinChild& operator[](std::size_t index) noexcept { return array_[index]; }

 private:
  std::size_t count_;
  JoinChild* array_;
};

}  // namespace asyncio::inline v0::detail
