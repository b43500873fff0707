// Boost.Asio's coroutines on the workloads of the table. usage: asio_micro CASE N
// SPDX-License-Identifier: MIT
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../measure.hpp"
#include "asio_sync.hpp"

namespace net = boost::asio;
using boost::system::error_code;
using net::awaitable;
using net::co_spawn;
using net::detached;
using net::use_awaitable;
using namespace std::chrono_literals;

static measure::Stopwatch watch;

__attribute__((noinline)) static awaitable<int> child(int x) { co_return x + 1; }

static void await_child(net::io_context& io, long n) {
  co_spawn(
      io,
      [n]() -> awaitable<void> {
        int x = 0;
        watch.start();
        for (long i = 0; i < n; i++) x = co_await child(x);
        watch.stop();
        measure::keep(x);
      },
      detached);
  io.run();
  watch.report(double(n));
}

__attribute__((noinline)) static awaitable<int> chain(int depth) {
  if (depth == 0) co_return 1;
  co_return co_await chain(depth - 1) + 1;
}

static void chain10(net::io_context& io, long n) {
  co_spawn(
      io,
      [n]() -> awaitable<void> {
        int x = 0;
        watch.start();
        for (long i = 0; i < n / 10; i++) x += co_await chain(9);
        watch.stop();
        measure::keep(x);
      },
      detached);
  io.run();
  watch.report(double(n));
}

static void spawn(net::io_context& io, long n) {
  co_spawn(
      io,
      [&io, n]() -> awaitable<void> {
        watch.start();
        for (long i = 0; i < n; i++) co_await co_spawn(io, child(1), use_awaitable);
        watch.stop();
      },
      detached);
  io.run();
  watch.report(double(n));
}

// Asio has no event: one timer that never expires has a million waiters instead.
static void million(net::io_context& io, long n) {
  net::steady_timer event(io);
  event.expires_at(net::steady_timer::time_point::max());
  long left = n;
  double before = measure::resident_bytes();
  double parked = 0;
  auto task = [&]() -> awaitable<void> {
    error_code e;
    co_await event.async_wait(net::redirect_error(use_awaitable, e));
  };
  watch.start();
  for (long i = 0; i < n; i++) co_spawn(io, task(), [&](std::exception_ptr) { left--; });
  net::post(io, [&] {
    parked = measure::resident_bytes();
    event.cancel();
  });
  io.run();
  watch.stop();
  if (left != 0) measure::fail("tasks left");
  watch.report(double(n), (parked - before) / double(n));
}

static awaitable<void> yield_loop(net::io_context& io, long n) {
  for (long i = 0; i < n; i++) co_await net::post(io, use_awaitable);
}

static void yield(net::io_context& io, long n, long tasks) {
  watch.start();
  for (long i = 0; i < tasks; i++) co_spawn(io, yield_loop(io, n / tasks), detached);
  io.run();
  watch.stop();
  watch.report(double(n));
}

static void sleepall(net::io_context& io, long n) {
  double before = measure::resident_bytes();
  double asleep = 0;
  long left = n;
  auto task = [&]() -> awaitable<void> {
    net::steady_timer t(io, 10ms);
    co_await t.async_wait(use_awaitable);
  };
  watch.start();
  for (long i = 0; i < n; i++) co_spawn(io, task(), [&](std::exception_ptr) { left--; });
  net::post(io, [&] { asleep = measure::resident_bytes(); });
  io.run();
  watch.stop();
  if (left != 0) measure::fail("tasks left");
  watch.report(1, (asleep - before) / double(n));
}

// The idiom in 1.81 (cancel_after came later): the operation || a timer.
static void timeout(net::io_context& io, long n) {
  using namespace net::experimental::awaitable_operators;
  co_spawn(
      io,
      [&io, n]() -> awaitable<void> {
        watch.start();
        for (long i = 0; i < n; i++) {
          net::steady_timer t(io, 10s);
          co_await (net::post(io, use_awaitable) || t.async_wait(use_awaitable));
        }
        watch.stop();
      },
      detached);
  io.run();
  watch.report(double(n));
}

// The cheapest way to the same end: one timer, used again and again, with a callback.
static void timeraw(net::io_context& io, long n) {
  co_spawn(
      io,
      [&io, n]() -> awaitable<void> {
        net::steady_timer t(io);
        watch.start();
        for (long i = 0; i < n; i++) {
          t.expires_after(10s);
          t.async_wait([](error_code) {});
          co_await net::post(io, use_awaitable);
          t.cancel();
        }
        watch.stop();
      },
      detached);
  io.run();
  watch.report(double(n));
}

static awaitable<void> hop(net::io_context& io, net::thread_pool& pool, long n, long& done) {
  for (long i = 0; i < n; i++) {
    co_await net::post(net::bind_executor(pool.get_executor(), use_awaitable));
    co_await net::post(net::bind_executor(io.get_executor(), use_awaitable));
    done++;
  }
}

static void thread(net::io_context& io, long n, long in_flight, std::size_t workers) {
  long done = 0;
  net::thread_pool pool(workers);
  watch.start();
  for (long i = 0; i < in_flight; i++) co_spawn(io, hop(io, pool, n / in_flight, done), detached);
  io.run();  // co_spawn keeps the context alive while a coroutine is on the pool
  watch.stop();
  if (done != n / in_flight * in_flight) measure::fail("jobs lost");
  watch.report(double(n));
}

static void cancel(net::io_context& io, long n) {
  std::vector<net::cancellation_signal> signals(static_cast<std::size_t>(n));
  long left = n;
  auto task = [&]() -> awaitable<void> {
    net::steady_timer t(io, 1h);
    co_await t.async_wait(use_awaitable);
  };
  for (auto& signal : signals) {
    co_spawn(io, task(),
             net::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) { left--; }));
  }
  io.poll();
  if (left != n) measure::fail("tasks ended early");
  watch.start();
  for (auto& signal : signals) signal.emit(net::cancellation_type::terminal);
  io.run();
  watch.stop();
  if (left != 0) measure::fail("tasks left");
  watch.report(double(n));
}

__attribute__((noinline)) static awaitable<int> fail_below(int depth) {
  if (depth == 0) throw std::runtime_error("failed");
  co_return co_await fail_below(depth - 1) + 1;
}

static void thrown_through(net::io_context& io, long n, int depth) {
  long caught = 0;
  co_spawn(
      io,
      [&, n, depth]() -> awaitable<void> {
        watch.start();
        for (long i = 0; i < n; i++) {
          try {
            caught += co_await fail_below(depth - 1);
          } catch (const std::runtime_error&) {
            caught++;
          }
        }
        watch.stop();
      },
      detached);
  io.run();
  if (caught != n) measure::fail("errors lost");
  watch.report(double(n));
}

__attribute__((noinline)) static awaitable<int> sleep_below(net::io_context& io, int depth) {
  if (depth > 0) co_return co_await sleep_below(io, depth - 1) + 1;
  net::steady_timer t(io, 1h);
  co_await t.async_wait(use_awaitable);
  co_return 0;
}

static void cancelled_through(net::io_context& io, long n, int depth) {
  constexpr long batch = 200;
  for (long round = 0; round < n / batch; round++) {
    std::vector<net::cancellation_signal> signals(batch);
    long caught = 0;
    auto task = [&]() -> awaitable<void> {
      try {
        co_await sleep_below(io, depth - 1);
      } catch (const boost::system::system_error&) {
        caught++;
      }
    };
    for (auto& signal : signals) {
      co_spawn(io, task(), net::bind_cancellation_slot(signal.slot(), detached));
    }
    io.restart();
    io.poll();
    watch.start();
    for (auto& signal : signals) signal.emit(net::cancellation_type::terminal);
    io.run();
    watch.stop();
    if (caught != batch) measure::fail("cancellations lost");
  }
  watch.report(double(n / batch * batch));
}

static long random_below(long limit) {
  static unsigned long long state = 88172645463325252ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<long>(state % static_cast<unsigned long long>(limit));
}

static void arm(net::steady_timer& t, std::chrono::microseconds delay) {
  t.expires_after(delay);  // cancels what was pending; its handler runs at the next poll()
  t.async_wait([](error_code) {});
}

static std::vector<net::steady_timer> pending_timers(net::io_context& io, long count) {
  std::vector<net::steady_timer> timers;
  timers.reserve(static_cast<std::size_t>(count));
  for (long i = 0; i < count; i++) {
    timers.emplace_back(io);
    arm(timers.back(), 1h + std::chrono::microseconds(random_below(60000000)));
  }
  return timers;
}

static void timer100k(net::io_context& io, long n) {
  auto pending = pending_timers(io, 100000);
  net::steady_timer t(io);
  watch.start();
  for (long i = 0; i < n; i++) {
    arm(t, 1h + std::chrono::microseconds(random_below(60000000)));
    t.cancel();
    if (i % 64 == 63) io.poll();
  }
  watch.stop();
  watch.report(double(n));
}

static void rearm(net::io_context& io, long n, long count) {
  auto pending = pending_timers(io, count);
  watch.start();
  for (long i = 0; i < n; i++) {
    arm(pending[static_cast<std::size_t>(random_below(count))], 1h + 30s);
    if (i % 64 == 63) io.poll();
  }
  watch.stop();
  watch.report(double(n));
}

// The loop is kept awake by a coroutine that yields; what counts is the posting thread's CPU.
static awaitable<void> stay_awake(net::io_context& io, const long& arrived, long n) {
  while (arrived < n) co_await net::post(io, use_awaitable);
}

static void post(net::io_context& io, long n) {
  long arrived = 0;
  double cpu = 0;
  co_spawn(io, stay_awake(io, arrived, n), detached);
  watch.start();
  std::thread poster([&] {
    double before = measure::clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (long i = 0; i < n; i++) net::post(io, [&arrived] { arrived++; });
    cpu = measure::clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
  });
  io.run();
  watch.stop();
  poster.join();
  watch.report(double(n), cpu, 0);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  std::string name = argv[1];
  long n = atol(argv[2]);
  net::io_context io(1);
  if (name == "await") await_child(io, n);
  if (name == "chain10") chain10(io, n);
  if (name == "spawn") spawn(io, n);
  if (name == "million") million(io, n);
  if (name == "yield") yield(io, n, 2);
  if (name == "yield1000") yield(io, n, 1000);
  if (name == "sleepall") sleepall(io, n);
  if (name == "throw1") thrown_through(io, n, 1);
  if (name == "throw10") thrown_through(io, n, 10);
  if (name == "cancel1") cancelled_through(io, n, 1);
  if (name == "cancel10") cancelled_through(io, n, 10);
  if (name == "cancel20") cancelled_through(io, n, 20);
  if (name == "timeout") timeout(io, n);
  if (name == "timeraw") timeraw(io, n);
  if (name == "thread1") thread(io, n, 1, 1);
  if (name == "thread64") thread(io, n, 64, 4);
  if (name == "timer100k") timer100k(io, n);
  if (name == "rearm100k") rearm(io, n, 100000);
  if (name == "rearm1m") rearm(io, n, 1000000);
  if (name == "post") post(io, n);
  if (name == "cancel") cancel(io, n);
  run_sync(io, name, n);
  return 2;
}
