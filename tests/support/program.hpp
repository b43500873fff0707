// Programs inside the test program: for what ends a process, and for what needs a fresh one.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// A main() that run_program() runs in a process of its own, with nothing of GoogleTest around it.
#define PROGRAM(name)                                                                \
  static int name();                                                                 \
  [[maybe_unused]] static const bool program_##name =                                \
      ::asyncio::test::add_program(#name, &name);                                    \
  static int name()

namespace asyncio::test {

bool add_program(const char* name, int (*main)());
/// Null if there is none of this name.
int (*find_program(const std::string& name))();

/// How a process ended: exactly one of the two is not -1.
struct ProcessEnd {
  int code = -1;
  int signal = -1;
  std::string out;
  std::string err;
};

/// Runs a PROGRAM. `environment`: "NAME=value" each.
ProcessEnd run_program(const std::string& name, const std::vector<std::string>& environment = {});

/// What `work` gives in a forked child, or minus the signal that ended it.
template <class F>
int in_child(F work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Runs the test that runs now once more, in a process whose frames all come from operator new
/// (ASYNCIO_FRAME_POOL=0). True in that process: there the test does its work. In the first one
/// it is false, and what went wrong in the other is a failure of the test:
///
///     SYNC_TEST(Task, "...") {
///       if (!test::without_frame_pool()) return;
bool without_frame_pool();

}  // namespace asyncio::test
