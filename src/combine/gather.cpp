// What gather() and its kin need not be compiled anew for.
// SPDX-License-Identifier: MIT
#include <asyncio/gather.hpp>

namespace asyncio::inline v0 {

detail::ArgumentStarter::ArgumentStarter(const Argument* list) noexcept : arguments(list) {}

void detail::ArgumentStarter::start(std::size_t index, JoinChild& child) {
  const Argument& argument = arguments[index];
  if (!argument.coroutine) return argument.start(argument.awaitable, child);
  if (!*argument.coroutine) [[unlikely]] throw_empty_coro();
  TaskState& task = *argument.make_task(require_loop());
  spawn(task, *argument.coroutine);
  child.set(task, true);
}

detail::FrameHandle detail::join_arguments(JoinSet& set, JoinPlan plan, ChildStarter& starter) {
  Coro<> join = join_children(set, plan, starter);
  return CoroAccess::release(join);
}

Coro<std::tuple<>> gather() { co_return std::tuple<>(); }
Coro<std::tuple<>> gather_settled() { co_return std::tuple<>(); }

}  // namespace asyncio::inline v0
