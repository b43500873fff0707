// The way to a worker thread and back, and posts from a foreign thread to a loop that is awake.
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "rows.hpp"

namespace rows {
namespace {

void nothing() {}

// The nth core this process may use.
void pin(int nth) {
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

void use_workers(std::size_t count) {
  asyncio::get_running_loop().set_default_executor(std::make_shared<asyncio::ThreadPool>(count));
}

Coro<> jobs(long n) {
  for (long i = 0; i < n; i++) co_await asyncio::to_thread(nothing);
}

Coro<> one_at_a_time(long n) {
  Stopwatch watch;
  co_await jobs(100);
  watch.start();
  co_await jobs(n);
  watch.stop();
  watch.report(double(n));
}

// How often this thread has called write(2), counted by the kernel; negative if it does not say.
long writes_of_this_thread() {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%ld/io", syscall(SYS_gettid));
  FILE* file = fopen(path, "r");
  if (file == nullptr) return -1;
  long count = -1;
  char line[128];
  while (fgets(line, sizeof line, file) != nullptr) {
    if (sscanf(line, "syscw: %ld", &count) == 1) break;
  }
  fclose(file);
  return count;
}

struct Poster {
  double cpu_ns = 0;
  long writes = 0;

  void run(asyncio::EventLoop& loop, long n, long& arrived) {
    long writes_before = writes_of_this_thread();
    double cpu_before = measure::clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (long i = 0; i < n; i++) loop.call_soon_threadsafe([&arrived] { arrived++; });
    cpu_ns = measure::clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
    writes = writes_of_this_thread() - writes_before;
  }
};

}  // namespace

Coro<> thread_one(long n) {
  use_workers(1);
  co_await one_at_a_time(n);
}

// The loop on one core and the worker on another, so that every hop wakes a core.
Coro<> thread_cross(long n) {
  use_workers(1);
  co_await asyncio::to_thread(pin, 1);
  pin(0);
  co_await one_at_a_time(n);
}

Coro<> thread_many(long n) {
  Stopwatch watch;
  use_workers(4);
  std::vector<Coro<>> in_flight;
  for (int i = 0; i < 64; i++) in_flight.push_back(jobs(n / 64));
  watch.start();
  co_await asyncio::gather(std::move(in_flight));
  watch.stop();
  watch.report(double(n));
}

// What counts is the posting thread's CPU; `extra` is its calls of write(2), which should be none.
Coro<> post(long n) {
  Stopwatch watch;
  asyncio::EventLoop& loop = asyncio::get_running_loop();
  long arrived = 0;
  Poster poster;
  watch.start();
  std::thread thread([&] { poster.run(loop, n, arrived); });
  while (arrived < n) co_await asyncio::sleep(0s);
  watch.stop();
  thread.join();
  watch.report(double(n), poster.cpu_ns, double(poster.writes));
}

}  // namespace rows
