// gather(a, b), gather_settled(a, b), race(a, b): a list of arguments as one operation.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/combine/join.hpp>

#include <coroutine>
#include <cstddef>
#include <utility>

namespace asyncio::inline v0::detail {

inline constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

/// One of a combinator's arguments, without its type.
struct Argument {
  FrameHandle* coroutine;  // null: it is none
  TaskState* (*make_task)(LoopBase& loop);
  void* awaitable;  // unless it is a coroutine
  void (*start)(void* awaitable, JoinChild& child);
};
template <class A>
void start_argument(void* awaitable, JoinChild& child) {
  start_child(*static_cast<A*>(awaitable), child);
}
template <class A>
Argument argument(A& awaitable) noexcept {
  if constexpr (is_coro<A>) {
    return {&CoroAccess::frame_or_null(awaitable), &make_task<TaskValue<A>>, nullptr, nullptr};
  } else {
    return {nullptr, nullptr, __builtin_addressof(awaitable), &start_argument<A>};
  }
}

/// Starts the awaitables of an argument list.
struct ASYNCIO_API ArgumentStarter final : ChildStarter {
  explicit ArgumentStarter(const Argument* list) noexcept;
  void start(std::size_t index, JoinChild& child) override;
  const Argument* arguments;
};

// Like a std::tuple, which is a hundred times as much to compile.
template <std::size_t I, class A>
struct ArgumentSlot {
  A awaitable;
};
template <class Indices, class... As>
struct ArgumentSlots;
template <std::size_t... I, class... As>
struct ArgumentSlots<std::index_sequence<I...>, As...> : ArgumentSlot<I, As>... {
  explicit ArgumentSlots(As&&... given) : ArgumentSlot<I, As>{std::move(given)}... {}

  /// Where they are, in order.
  void list(Argument* into) noexcept {
    ((into[I] = argument(ArgumentSlot<I, As>::awaitable)), ...);
  }
};
template <class... As>
using ArgumentsOf = ArgumentSlots<std::index_sequence_for<As...>, As...>;

/// The frame of a join_children().
ASYNCIO_API FrameHandle join_arguments(JoinSet& set, JoinPlan plan, ChildStarter& starter);

/// Starts the arguments and waits for them. An operation and not a coroutine: the children lie in
/// the frame that awaits it, and there is no frame to compile for each list of types. `How` says
/// until when, and what comes of the children.
template <class How, class... As>
class ArgumentsWait : public Awaiter {
 public:
  explicit ArgumentsWait(ArgumentsOf<As...>&& arguments)
      : arguments_(std::move(arguments)),
        joined_(join_arguments(set_, {children_, sizeof...(As), no_limit, How::until}, starter_)) {
    arguments_.list(list_);
  }

  bool await_ready() const noexcept { return false; }
  ASYNCIO_INLINE std::coroutine_handle<> await_suspend(std::coroutine_handle<> frame) noexcept {
    return joined_.await_suspend(frame);
  }

  ASYNCIO_INLINE auto await_resume() {
    joined_.await_resume();
    return How::template result_of<As...>(set_, children_);
  }

 private:
  JoinSet set_{true};
  JoinChild children_[sizeof...(As)];
  ArgumentsOf<As...> arguments_;
  Argument list_[sizeof...(As)];
  ArgumentStarter starter_{list_};
  ChildAwaiter<void> joined_;
};

/// What gather() and its kin return: the arguments, until it is awaited.
template <class How, class... As>
class [[nodiscard("asyncio: this coroutine does not run: co_await it or give it to create_task()")]]
Arguments {
 public:
  explicit Arguments(As&&... given) : arguments_(std::move(given)...) {}
  ArgumentsWait<How, As...> operator co_await() && {
    return ArgumentsWait<How, As...>(std::move(arguments_));
  }

 private:
  ArgumentsOf<As...> arguments_;
};

}  // namespace asyncio::inline v0::detail
