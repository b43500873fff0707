// Runs the tests; with --program=NAME one PROGRAM instead, and nothing else.
// SPDX-License-Identifier: MIT
#include "support/program.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  const std::string wanted = "--program=";
  if (first.compare(0, wanted.size(), wanted) == 0) {
    const auto program = asyncio::test::find_program(first.substr(wanted.size()));
    if (program) return program();
    std::fprintf(stderr, "there is no %s\n", first.c_str());
    return 126;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
