// What every test is checked for, beside what it says itself.
// SPDX-License-Identifier: MIT
#include "support/async_test.hpp"

#include <asyncio/detail/base/frame_pool.hpp>
#include <asyncio/graph.hpp>

#include "core/traceback.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <unistd.h>

namespace asyncio::test {
namespace {

// Takes the place of the variable `stderr`, not of descriptor 2: what sanitizers say stays visible.
struct Captured {
  std::FILE* before = nullptr;
  std::FILE* stream = nullptr;
  char* text = nullptr;
  std::size_t size = 0;
  std::size_t taken = 0;
} captured;

// A process that aborts shows what it said last.
extern "C" void on_abort(int) {
  std::fflush(captured.stream);
  static_cast<void>(!::write(STDERR_FILENO, captured.text, captured.size));
  std::signal(SIGABRT, SIG_DFL);
}

void begin_capture() {
  std::signal(SIGABRT, &on_abort);
  captured.before = stderr;
  captured.taken = 0;
  captured.stream = ::open_memstream(&captured.text, &captured.size);
  if (captured.stream) stderr = captured.stream;
}

std::string end_capture() {
  if (!captured.stream) return {};
  std::string rest = take_stderr();
  stderr = captured.before;
  std::fclose(std::exchange(captured.stream, nullptr));
  std::free(std::exchange(captured.text, nullptr));
  return rest;
}

Coro<> checked(Coro<> (*body)()) {
  co_await body();
  const LoopMetrics left = get_running_loop().metrics();
  EXPECT_EQ(left.tasks_alive, 1u) << "tasks outlive the test";
  EXPECT_EQ(left.timers, 0u) << "timers outlive the test";
}

}  // namespace

void Fixture::SetUp() {
  descriptors_ = open_descriptors();
  frames_ = detail::frames_in_use();
  begin_capture();
}

void Fixture::TestBody() {
  try {
    if (plain_) plain_();
    else asyncio::testing::run(checked(coroutine_));
  } catch (...) {
    ADD_FAILURE() << "the test threw\n" << format_exception(std::current_exception());
  }
}

void Fixture::TearDown() {
  EXPECT_EQ(end_capture(), "") << "the test wrote to stderr";
  EXPECT_EQ(detail::frames_in_use(), frames_) << "frames or tasks leaked";
  EXPECT_EQ(open_descriptors(), descriptors_) << "descriptors leaked";
}

std::string take_stderr() {
  std::fflush(captured.stream);
  std::string text(captured.text + captured.taken, captured.size - captured.taken);
  captured.taken = captured.size;
  return text;
}

std::shared_ptr<Events> record_reports(EventLoop& loop) {
  auto reports = std::make_shared<Events>();
  loop.set_exception_handler([reports](EventLoop&, const ExceptionContext& context) {
    std::string text(context.message);
    if (context.exception) text += ": " + detail::describe(context.exception);
    reports->push_back(std::move(text));
  });
  return reports;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  if (!folder) return 0;
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace asyncio::test
