// What the library asks of operator new: the size of frames, and how often per operation.
// SPDX-License-Identifier: MIT
// Usage: asyncio_bench_memory CASE N; `extra` is the bytes or the calls per operation.
#include <asyncio/asyncio.hpp>

#include <cstdlib>
#include <new>
#include <string_view>

#include "../measure.hpp"

using asyncio::Coro;
using namespace std::chrono_literals;

static std::size_t calls = 0;
static std::size_t last_size = 0;

void* operator new(std::size_t size) {
  calls++;
  last_size = size;
  if (void* p = malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { free(p); }
void operator delete(void* p, std::size_t) noexcept { free(p); }

namespace {

[[gnu::noinline]] Coro<int> empty() { co_return 1; }

[[gnu::noinline]] Coro<int> awaiting_a_child() { co_return co_await empty(); }

[[noreturn]] void report(double extra) {
  measure::Stopwatch watch;
  watch.start();
  watch.stop();
  watch.report(1, extra);
}

Coro<> frame_empty(long) {
  Coro<int> coro = empty();
  double size = double(last_size);
  co_await std::move(coro);
  report(size);
}

Coro<> frame_child(long) {
  Coro<int> coro = awaiting_a_child();
  double size = double(last_size);
  co_await std::move(coro);
  report(size);
}

Coro<> await_once() { co_await empty(); }
Coro<> yield_once() { co_await asyncio::sleep(0s); }
Coro<> sleep_once() { co_await asyncio::sleep(1us); }
Coro<> wait_once() { co_await asyncio::wait_for(asyncio::sleep(0s), 10s); }
Coro<> scope_once() {
  co_await asyncio::timeout(10s, []() -> Coro<> { co_await asyncio::sleep(0s); });
}
Coro<> spawn_once() { co_await asyncio::create_task(empty()); }

// After a warm-up, in which the free lists fill.
Coro<> count_calls(Coro<> (*operation)(), long n) {
  for (int i = 0; i < 1000; i++) co_await operation();
  std::size_t before = calls;
  for (long i = 0; i < n; i++) co_await operation();
  report(double(calls - before) / double(n));
}

struct Case {
  std::string_view name;
  Coro<> (*body)(long n);
  bool without_pool = false;
};

constexpr Case cases[] = {
    {"frame_empty", frame_empty, true},
    {"frame_child", frame_child, true},
    {"calls_await", [](long n) { return count_calls(await_once, n); }},
    {"calls_yield", [](long n) { return count_calls(yield_once, n); }},
    {"calls_sleep", [](long n) { return count_calls(sleep_once, n); }},
    {"calls_wait_for", [](long n) { return count_calls(wait_once, n); }},
    {"calls_timeout", [](long n) { return count_calls(scope_once, n); }},
    {"calls_spawn", [](long n) { return count_calls(spawn_once, n); }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    for (const Case& c : cases) {
      if (c.name != argv[1]) continue;
      // The pool reads the variable before main(), hence the second start.
      if (c.without_pool && getenv("ASYNCIO_FRAME_POOL") == nullptr) {
        setenv("ASYNCIO_FRAME_POOL", "0", 1);
        execv("/proc/self/exe", argv);
        measure::fail("cannot start myself again");
      }
      asyncio::run(c.body(atol(argv[2])));
    }
  }
  fprintf(stderr, "usage: %s CASE N, with one of these cases:\n", argv[0]);
  for (const Case& c : cases) {
    fprintf(stderr, "  %.*s\n", static_cast<int>(c.name.size()), c.name.data());
  }
  return 2;
}
