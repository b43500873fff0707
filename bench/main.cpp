// Our side of the table. usage: asyncio_bench CASE N; prints "wall_ns cpu_ns extra" per operation.
// SPDX-License-Identifier: MIT
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "rows/rows.hpp"

namespace {

struct Case {
  std::string_view name;
  asyncio::Coro<> (*body)(long n);
};

constexpr Case cases[] = {
    {"await", rows::await_child},
    {"chain10", rows::await_chain10},
    {"yield", rows::yield_two},
    {"yield1000", rows::yield_thousand},
    {"spawn", rows::spawn},
    {"spawn_named", rows::spawn_named},
    {"million", rows::million},
    {"sleeping", rows::sleeping},
    {"sleepall", rows::sleepall},
    {"cancel", rows::cancel},
    {"throw1", rows::throw1},
    {"throw10", rows::throw10},
    {"cancel1", rows::cancel1},
    {"cancel10", rows::cancel10},
    {"cancel20", rows::cancel20},
    {"lock", rows::lock_free},
    {"lock8", rows::lock_eight},
    {"event", rows::event_wake},
    {"queue", rows::queue_of_128},
    {"queue1", rows::queue_of_one},
    {"timeout", rows::wait_for_turn},
    {"timer100k", rows::arm100k},
    {"timer_at100k", rows::arm_at100k},
    {"rearm100k", rows::rearm100k},
    {"rearm1m", rows::rearm1m},
    {"recall100k", rows::recall100k},
    {"recall1m", rows::recall1m},
    {"thread1", rows::thread_one},
    {"thread_cross", rows::thread_cross},
    {"thread64", rows::thread_many},
    {"post", rows::post},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    for (const Case& c : cases) {
      if (c.name == argv[1]) asyncio::run(c.body(atol(argv[2])));
    }
  }
  fprintf(stderr, "usage: %s CASE N, with one of these cases:\n", argv[0]);
  for (const Case& c : cases) {
    fprintf(stderr, "  %.*s\n", static_cast<int>(c.name.size()), c.name.data());
  }
  return 2;
}
