// What the C++ programs of the benchmarks share: clocks, resident memory, the line of output.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

namespace measure {

inline double clock_ns(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

inline double resident_bytes() {
  long total = 0;
  long resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// The most that was ever resident. Not ru_maxrss: that one is inherited from whoever started us.
inline double peak_resident_bytes() {
  long kilobytes = 0;
  char line[256];
  FILE* file = fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  while (fgets(line, sizeof line, file) != nullptr) {
    if (sscanf(line, "VmHWM: %ld kB", &kilobytes) == 1) break;
  }
  fclose(file);
  return static_cast<double>(kilobytes) * 1024;
}

// Keeps the compiler from dropping a value that nobody reads.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

class Stopwatch {
 public:
  // Started again, it goes on from where it stopped.
  void start() {
    cpu_ -= clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    wall_ -= clock_ns(CLOCK_MONOTONIC);
  }
  void stop() {
    wall_ += clock_ns(CLOCK_MONOTONIC);
    cpu_ += clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  }
  double wall_ns() const { return wall_; }

  // Prints "wall_ns cpu_ns extra" per operation and ends the process: tearing a million tasks
  // down is not part of what was measured.
  [[noreturn]] void report(double operations, double extra = 0) const {
    report(operations, cpu_, extra);
  }
  [[noreturn]] void report(double operations, double cpu_ns, double extra) const {
    printf("%.3f %.3f %.1f\n", wall_ / operations, cpu_ns / operations, extra);
    fflush(stdout);
    _exit(0);
  }

 private:
  double wall_ = 0;
  double cpu_ = 0;
};

[[noreturn]] inline void fail(const char* why) {
  fprintf(stderr, "%s\n", why);
  _exit(1);
}

}  // namespace measure
