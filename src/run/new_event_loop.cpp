// new_event_loop: a loop joined with the engine that it sleeps in.
// SPDX-License-Identifier: MIT
#include <asyncio/run.hpp>

#include "core/loop.hpp"
#include "io/engine.hpp"

namespace asyncio::inline v0 {

std::unique_ptr<EventLoop> new_event_loop(LoopOptions options) {
  switch (options.engine) {
    case Engine::epoll:
      break;
  }
  return detail::LoopAccess::make(detail::make_epoll_engine());
}

}  // namespace asyncio::inline v0
