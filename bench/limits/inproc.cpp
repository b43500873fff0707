// What awaiting, yielding and spawning cost when nothing but the language takes part.
// SPDX-License-Identifier: MIT
// Usage: inproc CASE N
#include <sys/epoll.h>

#include <vector>

#include "coro.hpp"
#include "harness.hpp"

using measure::Stopwatch;

template <class T>
[[gnu::noinline]] T child(int x) {
  co_return x + 1;
}

template <class T>
Driver await_loop(Stopwatch& watch, long n) {
  int x = 0;
  watch.start();
  for (long i = 0; i < n; i++) x = co_await child<T>(x);
  watch.stop();
  measure::keep(x);
}

template <class T>
[[gnu::noinline]] T chain(int depth) {
  if (depth == 0) co_return 1;
  co_return co_await chain<T>(depth - 1) + 1;
}

template <class T>
Driver chain_loop(Stopwatch& watch, long n) {
  int x = 0;
  watch.start();
  for (long i = 0; i < n / 10; i++) x += co_await chain<T>(9);
  watch.stop();
  measure::keep(x);
}

static Driver yield_loop(long n) {
  for (long i = 0; i < n; i++) co_await Yield{};
}

static double yields(Stopwatch& watch, long n, long tasks) {
  std::vector<Driver> drivers;
  for (long i = 0; i < tasks; i++) drivers.push_back(yield_loop(n / tasks));
  watch.start();
  for (auto& d : drivers) d.handle.resume();
  fifo.run();
  watch.stop();
  return 0;
}

// A child that is queued, not entered, and whose end queues its parent: both wake-ups of a task.
struct Spawned {
  struct promise_type : FreeList {
    Ready me;
    Ready* joiner = nullptr;
    int value = 0;
    Spawned get_return_object() {
      return Spawned(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> h) noexcept {
        fifo.push(h.promise().joiner);
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(int x) { value = x; }
    void unhandled_exception() { std::terminate(); }
  };

  std::coroutine_handle<promise_type> handle;
  explicit Spawned(std::coroutine_handle<promise_type> h) : handle(h) {
    h.promise().me.handle = h;
    fifo.push(&h.promise().me);
  }
  Spawned(const Spawned&) = delete;
  ~Spawned() { handle.destroy(); }
};

struct Join : Ready {
  Spawned& task;
  explicit Join(Spawned& t) : task(t) {}
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    handle = h;
    task.handle.promise().joiner = this;
  }
  int await_resume() { return task.handle.promise().value; }
};

[[gnu::noinline]] static Spawned spawned(int x) { co_return x + 1; }

static Driver spawn_loop(Stopwatch& watch, long n) {
  int x = 0;
  watch.start();
  for (long i = 0; i < n; i++) {
    Spawned task = spawned(x);
    x = co_await Join(task);
  }
  watch.stop();
  measure::keep(x);
}

template <class T>
T leaf() {
  co_await std::suspend_always{};
  co_return 1;
}

template <class T>
T two_deep() {
  co_return co_await leaf<T>();
}

// Resident bytes of tasks that wait, one call deep or two.
template <class T>
static double bytes(Stopwatch& watch, long n, T (*make)()) {
  std::vector<std::coroutine_handle<>> kept(static_cast<std::size_t>(n));
  for (auto& slot : kept) slot = std::noop_coroutine();  // so that its pages are counted before
  double before = measure::resident_bytes();
  watch.start();
  for (auto& slot : kept) {
    T task = make();
    task.handle.resume();
    slot = std::exchange(task.handle, {});
  }
  watch.stop();
  return (measure::resident_bytes() - before) / double(n);
}

template <class T>
[[gnu::noinline]] T empty() {
  co_return 1;
}

template <class T>
[[gnu::noinline]] T awaiting_a_child() {
  co_return co_await empty<T>();
}

static double frame_size(Stopwatch& watch, Symmetric<Malloc> task) {
  watch.start();
  watch.stop();
  measure::keep(task.handle);
  return double(Malloc::last_size);
}

using Sym = Symmetric<FreeList>;
using Nest = Nested<FreeList>;
using Tramp = Trampoline<FreeList>;

static const Case cases[] = {
    {"await_symmetric", [](Stopwatch& w, long n) { return drive(await_loop<Sym>(w, n)), 0.0; }},
    {"await_nested", [](Stopwatch& w, long n) { return drive(await_loop<Nest>(w, n)), 0.0; }},
    {"await_trampoline",
     [](Stopwatch& w, long n) { return drive_trampoline(await_loop<Tramp>(w, n)), 0.0; }},
    {"chain10_symmetric", [](Stopwatch& w, long n) { return drive(chain_loop<Sym>(w, n)), 0.0; }},
    {"chain10_nested", [](Stopwatch& w, long n) { return drive(chain_loop<Nest>(w, n)), 0.0; }},
    {"chain10_trampoline",
     [](Stopwatch& w, long n) { return drive_trampoline(chain_loop<Tramp>(w, n)), 0.0; }},
    {"yield", [](Stopwatch& w, long n) { return yields(w, n, 2); }},
    {"yield1000", [](Stopwatch& w, long n) { return yields(w, n, 1000); }},
    {"spawn", [](Stopwatch& w, long n) { return drive(spawn_loop(w, n)), 0.0; }},
    {"clock",
     [](Stopwatch& w, long n) {
       w.start();
       for (long i = 0; i < n; i++) measure::keep(measure::clock_ns(CLOCK_MONOTONIC));
       w.stop();
       return 0.0;
     }},
    {"poll",
     [](Stopwatch& w, long n) {
       int fd = epoll_create1(0);
       epoll_event event;
       w.start();
       for (long i = 0; i < n; i++) measure::keep(epoll_wait(fd, &event, 1, 0));
       w.stop();
       return 0.0;
     }},
    {"bytes_one", [](Stopwatch& w, long n) { return bytes(w, n, leaf<Symmetric<Malloc>>); }},
    {"bytes_two", [](Stopwatch& w, long n) { return bytes(w, n, two_deep<Symmetric<Malloc>>); }},
    {"frame_empty", [](Stopwatch& w, long) { return frame_size(w, empty<Symmetric<Malloc>>()); }},
    {"frame_child",
     [](Stopwatch& w, long) { return frame_size(w, awaiting_a_child<Symmetric<Malloc>>()); }},
};

int main(int argc, char** argv) { return run_case(cases, argc, argv); }
