// AsyncExitStack's way out, and errors that others have replaced.
// SPDX-License-Identifier: MIT
#include <asyncio/scope.hpp>

#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/traceback.hpp"

#include <utility>

namespace asyncio::inline v0 {

namespace detail {

void report_replaced(const std::exception_ptr& error, const std::exception_ptr& by) noexcept {
  if (!error || is_cancellation(error) || carries(by, error) || !thread_state.loop) return;
  report(loop_of(*thread_state.loop), "an error was replaced by one of the clean-up after it",
         error, thread_state.task);
}

}  // namespace detail

AsyncExitStack::~AsyncExitStack() {
  while (last_) delete std::exchange(last_, last_->before);
}

void AsyncExitStack::push(Owner action) noexcept {
  action.get().before = last_;
  last_ = action.release();
}

Coro<> AsyncExitStack::aenter() { co_return; }

Coro<> AsyncExitStack::unwind(std::exception_ptr error) {
  // Only what comes from here goes out: `error` is the body's own, and whose body it is sees to it.
  std::exception_ptr replaced;
  while (last_) {
    const Owner action(std::exchange(last_, last_->before));
    const std::exception_ptr current = replaced ? replaced : error;
    try {
      co_await action.get().run(current);
    } catch (...) {
      std::exception_ptr latest = std::current_exception();
      detail::report_replaced(replaced, latest);
      replaced = std::move(latest);
    }
  }
  if (replaced) asyncio_raise(detail::give_up(std::move(replaced)));
}

}  // namespace asyncio::inline v0
