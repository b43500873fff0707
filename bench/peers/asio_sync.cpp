// Boost.Asio where tasks wait for each other: its channels, and a timer as an event.
// SPDX-License-Identifier: MIT
#include "asio_sync.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <exception>

#include "../measure.hpp"

// As tuned as one thread allows: `channel` instead of `concurrent_channel`, try_send() before
// async_send(), and `deferred`, which needs no coroutine frame of its own. With async_send() and
// `use_awaitable` alone each operation costs a turn of the loop, ten times as much where nobody
// waits.
namespace net = boost::asio;
using boost::system::error_code;
using net::awaitable;
using net::co_spawn;
using net::deferred;
using net::detached;

static measure::Stopwatch watch;

// Asio has no mutex: a channel with room for one message, which carries nothing, is the usual one.
using Lock = net::experimental::channel<void(error_code)>;
using Queue = net::experimental::channel<void(error_code, int)>;

static awaitable<void> visit(Lock& lock, long times, bool yield) {
  for (long i = 0; i < times; i++) {
    if (!lock.try_send(error_code{})) co_await lock.async_send(error_code{}, deferred);
    if (yield) co_await net::post(lock.get_executor(), deferred);
    if (!lock.try_receive([](error_code) {})) measure::fail("the lock was free");
  }
}

static void lock(net::io_context& io, long n, long tasks) {
  Lock lock(io, 1);
  watch.start();
  for (long i = 0; i < tasks; i++) co_spawn(io, visit(lock, n / tasks, tasks > 1), detached);
  io.run();
  watch.stop();
  watch.report(double(n / tasks * tasks));
}

// Asio has no event: a timer that never expires wakes all its waiters when it is cancelled.
static void event(net::io_context& io, long n) {
  net::steady_timer event(io, net::steady_timer::time_point::max());
  long left = n;
  auto task = [&]() -> awaitable<void> {
    // What redirect_error would do: here it takes no `deferred` yet.
    co_await event.async_wait(deferred([](error_code) { return deferred.values(); }));
  };
  for (long i = 0; i < n; i++) co_spawn(io, task(), [&](std::exception_ptr) { left--; });
  io.poll();
  if (left != n) measure::fail("tasks ended early");
  watch.start();
  event.cancel();
  io.run();
  watch.stop();
  if (left != 0) measure::fail("tasks left");
  watch.report(double(n));
}

static awaitable<void> produce(Queue& queue, int n) {
  for (int i = 0; i < n; i++) {
    if (!queue.try_send(error_code{}, i)) co_await queue.async_send(error_code{}, i, deferred);
  }
}

static awaitable<void> consume(Queue& queue, int n) {
  for (int i = 0; i < n; i++) {
    int item = 0;
    if (!queue.try_receive([&](error_code, int received) { item = received; })) {
      item = co_await queue.async_receive(deferred);
    }
    if (item != i) measure::fail("items lost");
  }
}

static void queue(net::io_context& io, long n, std::size_t capacity) {
  Queue queue(io, capacity);
  watch.start();
  co_spawn(io, produce(queue, static_cast<int>(n)), detached);
  co_spawn(io, consume(queue, static_cast<int>(n)), detached);
  io.run();
  watch.stop();
  watch.report(double(n));
}

void run_sync(net::io_context& io, const std::string& name, long n) {
  if (name == "lock") lock(io, n, 1);
  if (name == "lock8") lock(io, n, 8);
  if (name == "event") event(io, n);
  if (name == "queue") queue(io, n, 128);
  if (name == "queue1") queue(io, n, 1);
}
