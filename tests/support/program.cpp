// Starts this very executable again and collects what it says.
// SPDX-License-Identifier: MIT
#include "support/program.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asyncio::test {
namespace {

std::map<std::string, int (*)()>& programs() {
  static std::map<std::string, int (*)()> all;
  return all;
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  }
  ~Pipe() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// Reads both until both have ended.
void drain(int out, int err, ProcessEnd& end) {
  pollfd ears[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string* texts[2] = {&end.out, &end.err};
  int open = 2;
  while (open > 0 && ::poll(ears, 2, -1) >= 0) {
    for (int i = 0; i < 2; ++i) {
      if (ears[i].fd < 0 || !ears[i].revents) continue;
      char bytes[4096];
      const ssize_t count = ::read(ears[i].fd, bytes, sizeof bytes);
      if (count > 0) {
        texts[i]->append(bytes, static_cast<std::size_t>(count));
      } else {
        ears[i].fd = -1;
        --open;
      }
    }
  }
}

ProcessEnd run_self(std::vector<std::string> arguments,
                    const std::vector<std::string>& additions) {
  arguments.insert(arguments.begin(), "asyncio_tests");
  std::vector<std::string> environment = additions;  // the first of a name counts
  for (char** at = environ; *at; ++at) environment.emplace_back(*at);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);

  Pipe out;
  Pipe err;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out.ends[1], STDOUT_FILENO);
    ::dup2(err.ends[1], STDERR_FILENO);
    ::execve("/proc/self/exe", argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(std::exchange(out.ends[1], -1));
  ::close(std::exchange(err.ends[1], -1));
  ProcessEnd end;
  drain(out.ends[0], err.ends[0], end);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

// A filter that matches this test and none with another sentence: see cmake/list_gtests.cmake.
std::string filter_of(const ::testing::TestInfo& test) {
  std::string name = std::string(test.test_suite_name()) + "." + test.name();
  for (char& letter : name) {
    if (std::strchr("-:*", letter)) letter = '?';
  }
  return "--gtest_filter=" + name;
}

}  // namespace

bool add_program(const char* name, int (*main)()) { return programs().emplace(name, main).second; }

int (*find_program(const std::string& name))() {
  const auto found = programs().find(name);
  return found == programs().end() ? nullptr : found->second;
}

ProcessEnd run_program(const std::string& name, const std::vector<std::string>& environment) {
  return run_self({"--program=" + name}, environment);
}

bool without_frame_pool() {
  const char* const wish = std::getenv("ASYNCIO_FRAME_POOL");
  if (wish && wish[0] == '0') return true;
  const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  const ProcessEnd end = run_self({filter_of(*test)}, {"ASYNCIO_FRAME_POOL=0"});
  EXPECT_EQ(end.code, 0) << end.out << end.err;
  EXPECT_NE(end.out.find("[  PASSED  ] 1 test."), std::string::npos) << end.out;
  return false;
}

}  // namespace asyncio::test
