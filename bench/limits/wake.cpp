// The round trip to a worker thread with nothing but the kernel between.
// SPDX-License-Identifier: MIT
// A futex wakes the worker, an eventfd in an epoll wakes the loop. Usage: wake CASE N
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "harness.hpp"

using measure::Stopwatch;

static std::atomic<std::uint32_t> jobs{0};  // how many were handed out; the worker sleeps on it

static void futex(int operation, std::uint32_t value) {
  syscall(SYS_futex, &jobs, operation, value, nullptr, nullptr, 0);
}

// The nth core this process may use.
static void pin(int nth) {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || nth-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
  measure::fail("not enough cores");
}

class Bell {
 public:
  Bell() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event e{};
    e.events = EPOLLIN;
    epoll_ctl(poll_, EPOLL_CTL_ADD, event_, &e);
  }
  void ring() {
    std::uint64_t one = 1;
    if (write(event_, &one, sizeof one) != sizeof one) measure::fail("write to the eventfd");
  }
  void wait() {
    epoll_event e;
    while (epoll_wait(poll_, &e, 1, -1) != 1) {
    }
    std::uint64_t count;
    if (read(event_, &count, sizeof count) != sizeof count) measure::fail("read of the eventfd");
  }

 private:
  int event_;
  int poll_;
};

static void round_trips(Stopwatch& watch, long n, bool pinned) {
  constexpr std::uint32_t stop = ~std::uint32_t{0};
  Bell back;
  std::thread worker([&] {
    if (pinned) pin(1);
    for (std::uint32_t done = 0;; done++) {
      while (jobs.load(std::memory_order_acquire) == done) futex(FUTEX_WAIT_PRIVATE, done);
      if (jobs.load(std::memory_order_acquire) == stop) return;
      back.ring();
    }
  });
  if (pinned) pin(0);
  auto round_trip = [&] {
    jobs.fetch_add(1, std::memory_order_release);
    futex(FUTEX_WAKE_PRIVATE, 1);
    back.wait();
  };
  for (int i = 0; i < 100; i++) round_trip();
  watch.start();
  for (long i = 0; i < n; i++) round_trip();
  watch.stop();
  jobs = stop;
  futex(FUTEX_WAKE_PRIVATE, 1);
  worker.join();
}

static const Case cases[] = {
    {"worker", [](Stopwatch& w, long n) { return round_trips(w, n, false), 0.0; }},
    {"worker_cross", [](Stopwatch& w, long n) { return round_trips(w, n, true), 0.0; }},
};

int main(int argc, char** argv) { return run_case(cases, argc, argv); }
