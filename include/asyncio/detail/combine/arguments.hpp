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
  void* awaitable;
  void (*start)(void* awaitable, JoinChild& child);
};
template <class A>
void start_argument(void* awaitable, JoinChild& child) {
  start_child(*static_cast<A*>(awaitable), child);
}

/// Starts the awaitables of an argument list.
struct ASYNCIO_API ArgumentStarter final : ChildStarter {
  explicit ArgumentStarter(const Argument* list) noexcept : arguments(list) {}
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
    ((into[I] = {__builtin_addressof(ArgumentSlot<I, As>::awaitable), &start_argument<As>}), ...);
  }
};
template <class... As>
using ArgumentsOf = ArgumentSlots<std::index_sequence_for<As...>, As...>;

/// The frame of a join_children().
ASYNCIO_API FrameHandle join_arguments(JoinSet& set, JoinPlan plan, ChildStarter& starter);

/// Starts the arguments and waits for them. An operation and not a coroutine: the children lie in
/// the frame that awaits it, and there is no frame to compile for each list of types.
template <class... As>
class ArgumentsWait : public Awaiter {
 public:
  bool await_ready() const noexcept { return false; }
  ASYNCIO_INLINE std::coroutine_handle<> await_suspend(std::coroutine_handle<> frame) noexcept {
    return joined_.await_suspend(frame);
  }

 protected:
  ArgumentsWait(ArgumentsOf<As...>&& arguments, JoinSet::Until until)
      : arguments_(std::move(arguments)),
        joined_(join_arguments(set_, {children_, sizeof...(As), no_limit, until}, starter_)) {
    arguments_.list(list_);
  }

  JoinSet set_{true};
  JoinChild children_[sizeof...(As)];
  ArgumentsOf<As...> arguments_;
  Argument list_[sizeof...(As)];
  ArgumentStarter starter_{list_};
  ChildAwaiter<void> joined_;
};

/// What gather() and its kin return: the arguments, until it is awaited.
template <class Wait, class... As>
class [[nodiscard("asyncio: this coroutine does not run: co_await it or give it to create_task()")]]
Arguments {
 public:
  explicit Arguments(As&&... given) : arguments_(std::move(given)...) {}
  Wait operator co_await() && { return Wait(std::move(arguments_)); }

 private:
  ArgumentsOf<As...> arguments_;
};

}  // namespace asyncio::inline v0::detail
