// Runs one case of a limit probe and prints it in the line all benchmark programs print.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "../measure.hpp"

// A case sets itself up, starts the watch, does n operations, stops it and returns `extra`.
using CaseBody = double (*)(measure::Stopwatch& watch, long n);

struct Case {
  const char* name;
  CaseBody body;
  bool whole = false;  // the time in all counts, not the time per operation
};

template <std::size_t count>
int run_case(const Case (&cases)[count], int argc, char** argv) {
  if (argc == 3) {
    for (const Case& c : cases) {
      if (strcmp(c.name, argv[1]) != 0) continue;
      measure::Stopwatch watch;
      long n = atol(argv[2]);
      double extra = c.body(watch, n);
      watch.report(c.whole ? 1 : double(n), extra);
    }
  }
  fprintf(stderr, "usage: %s CASE N, with one of these cases:\n", argv[0]);
  for (const Case& c : cases) fprintf(stderr, "  %s\n", c.name);
  return 2;
}
