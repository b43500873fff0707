// What gather() and its kin need not be compiled anew for.
// SPDX-License-Identifier: MIT
#include <asyncio/gather.hpp>

namespace asyncio::inline v0 {

void detail::ArgumentStarter::start(std::size_t index, JoinChild& child) {
  arguments[index].start(arguments[index].awaitable, child);
}

detail::FrameHandle detail::join_arguments(JoinSet& set, JoinPlan plan, ChildStarter& starter) {
  Coro<> join = join_children(set, plan, starter);
  return CoroAccess::release(join);
}

Coro<std::tuple<>> gather() { co_return std::tuple<>(); }
Coro<std::tuple<>> gather_settled() { co_return std::tuple<>(); }

}  // namespace asyncio::inline v0
