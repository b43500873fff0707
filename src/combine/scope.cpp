// AsyncExitStack's way out, and errors that others have replaced.
// SPDX-License-Identifier: MIT
#include <asyncio/scope.hpp>

#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/traceback.hpp"

namespace asyncio::inline v0 {

namespace detail {

void report_replaced(std::exception_ptr error) noexcept {
  if (!error || is_cancellation(error) || !thread_state.loop) return;
  report(loop_of(*thread_state.loop), "an error was replaced by one of the clean-up after it",
         std::move(error), thread_state.task);
}

}  // namespace detail

AsyncExitStack::~AsyncExitStack() {
  for (; !actions_.empty(); actions_.pop_back()) delete actions_.back();
}

void AsyncExitStack::push(Owner action) {
  actions_.push_back(&action.get());
  static_cast<void>(action.release());
}

Coro<> AsyncExitStack::unwind(std::exception_ptr error) {
  // Only what comes from here goes out: `error` is the body's own.
  std::exception_ptr replaced;
  while (!actions_.empty()) {
    const Owner action(actions_.back());
    actions_.pop_back();
    auto end = co_await detail::settle(action.get().run(replaced ? replaced : error));
    if (end.error()) replaced = std::move(end.error());
  }
  if (replaced) std::rethrow_exception(std::move(replaced));
}

}  // namespace asyncio::inline v0
