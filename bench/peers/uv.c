// libuv on the workloads it has: jobs on its thread pool, timers.
// SPDX-License-Identifier: MIT
// Usage: uv CASE N (UV_THREADPOOL_SIZE sets the workers)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

static uv_loop_t* loop;
static long n, left;
static double wall_start, cpu_start;

static double clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void start(void) {
  cpu_start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  wall_start = clock_ns(CLOCK_MONOTONIC);
}

static void report(void) {
  double wall = clock_ns(CLOCK_MONOTONIC) - wall_start;
  double cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
  printf("%.3f %.3f 0\n", wall / (double)n, cpu / (double)n);
  fflush(stdout);
  _exit(0);
}

static void work(uv_work_t* request) { (void)request; }

static void after_work(uv_work_t* request, int status) {
  (void)status;
  if (--left > 0) uv_queue_work(loop, request, work, after_work);
}

static void jobs(int in_flight) {
  static uv_work_t requests[64];
  left = n;
  start();
  for (int i = 0; i < in_flight; i++) uv_queue_work(loop, &requests[i], work, after_work);
  uv_run(loop, UV_RUN_DEFAULT);
  report();
}

static uv_timer_t timer;
static void expired(uv_timer_t* t) { (void)t; }

static long random_below(long limit) {
  static unsigned long long state = 88172645463325252ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (long)(state % (unsigned long long)limit);
}

/* libuv counts in milliseconds; uv_timer_start on a running timer stops it first. */
static void timers(long count, int rearm) {
  uv_timer_t* pending = calloc((size_t)count, sizeof *pending);
  for (long i = 0; i < count; i++) {
    uv_timer_init(loop, &pending[i]);
    uv_timer_start(&pending[i], expired, (uint64_t)(3600000 + random_below(60000)), 0);
  }
  uv_timer_init(loop, &timer);
  start();
  for (long i = 0; i < n; i++) {
    if (rearm) {
      uv_timer_start(&pending[random_below(count)], expired, (uint64_t)(3630000 + i / 1000), 0);
    } else {
      uv_timer_start(&timer, expired, (uint64_t)(3600000 + random_below(60000)), 0);
      uv_timer_stop(&timer);
    }
  }
  report();
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  loop = uv_default_loop();
  n = atol(argv[2]);
  if (!strcmp(argv[1], "thread1")) jobs(1);
  if (!strcmp(argv[1], "thread64")) jobs(64);
  if (!strcmp(argv[1], "timer_at100k")) timers(100000, 0);
  if (!strcmp(argv[1], "rearm100k")) timers(100000, 1);
  if (!strcmp(argv[1], "rearm1m")) timers(1000000, 1);
  return 2;
}
