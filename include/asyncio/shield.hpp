// shield: wait for a task without cancelling it.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/future.hpp>
#include <asyncio/task.hpp>

#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {

template <class State, class T>
class [[nodiscard]] ShieldAwaiter : public DetachedWait {
 public:
  using DetachedWait::DetachedWait;
  ASYNCIO_INLINE T await_resume() {
    check();
    return take_result<T>(static_cast<State&>(state_), 1);
  }
};

template <class State, class T>
class [[nodiscard("asyncio: this does not wait: co_await it")]] Shield : private ResultHandle {
 public:
  explicit Shield(ResultState& state) noexcept : ResultHandle(state) {}
  ShieldAwaiter<State, T> operator co_await() && {
    return ShieldAwaiter<State, T>(ResultWait::Adopt{}, release_state());
  }
};

}  // namespace detail

/// Waits for a task or future; a cancellation of the waiter stops the waiting and not the task.
///
///     co_await asyncio::shield(task);   // keep `task`: its error goes to nobody else
///
/// If the task itself is cancelled, so is the shield. Keep a handle of the task, and await it
/// later: its error, if nobody asks for it, is reported when the last handle goes [R32].
/// Python:  asyncio.shield; a coroutine does not compile here, create_task() it first.
template <class T>
auto shield(const Task<T>& task) {
  return detail::Shield<detail::TaskOf<T>, T>(detail::HandleAccess::state(task));
}
template <class T>
auto shield(const Future<T>& future) {
  return detail::Shield<detail::FutureOf<T>, T>(detail::HandleAccess::state(future));
}
inline auto shield(const AnyTask& task) {
  return detail::Shield<detail::TaskOf<void>, void>(detail::HandleAccess::state(task));
}
template <awaitable A>
  requires(!detail::result_handle<A>)
void shield(A) {
  static_assert(detail::result_handle<A>,
                "asyncio: shield() takes a Task or Future, since a coroutine would outlive what it "
                "refers to: auto task = create_task(...), co_await shield(task)");
}

}  // namespace asyncio::inline v0
