// Ctrl-C, SIGTERM and errors that nobody catches, each in a process of its own.
// SPDX-License-Identifier: MIT
#include <asyncio/run.hpp>

#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/sleep.hpp>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::ProcessEnd;
using test::run_program;

void say(const char* word) {
  std::printf("%s\n", word);
  std::fflush(stdout);
}

// Runs `main` and says how it ended.
template <class F>
int report_end(F main, RunOptions options = {}) {
  try {
    std::printf("value %d\n", run(main(), options));
  } catch (const KeyboardInterrupt&) {
    say("KeyboardInterrupt");
  } catch (const SystemExit& exit) {
    std::printf("SystemExit %d\n", exit.code);
  } catch (const CancelledError&) {
    say("CancelledError");
  }
  return 0;
}

Coro<> sleep_through(const char* word) {
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    say(word);
  }
}

// ---- Ctrl-C

PROGRAM(ctrl_c) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGINT);
    say("goes on");
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      say("cleans up");
      throw;
    }
    co_return 1;
  });
}

SYNC_TEST(CtrlC, "cancels main, and run throws KeyboardInterrupt [R74]") {
  const ProcessEnd end = run_program("ctrl_c");
  EXPECT_EQ(end.out, "goes on\ncleans up\nKeyboardInterrupt\n");
  EXPECT_EQ(end.code, 0);
}

PROGRAM(ctrl_c_wakes) {
  return report_end([]() -> Coro<int> {
    std::thread([] {
      std::this_thread::sleep_for(20ms);
      ::kill(::getpid(), SIGINT);
    }).detach();
    co_await sleep(1h);
    co_return 1;
  });
}

PROGRAM(ctrl_c_in_a_child) {
  return run([]() -> Coro<int> {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);
      report_end([]() -> Coro<int> {
        std::raise(SIGINT);
        co_await sleep(1ms);
        co_return 1;
      });
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    std::raise(SIGINT);
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      say("the parent's");
    }
    co_return 0;
  }());
}

SYNC_TEST(CtrlC, "is the run's of a child that was forked inside of another [R74]") {
  const ProcessEnd end = run_program("ctrl_c_in_a_child");
  EXPECT_EQ(end.out, "KeyboardInterrupt\nthe parent's\n");
  EXPECT_EQ(end.code, 0);
}

SYNC_TEST(CtrlC, "wakes a loop that sleeps [R74]") {
  const ProcessEnd end = run_program("ctrl_c_wakes");
  EXPECT_EQ(end.out, "KeyboardInterrupt\n");
}

PROGRAM(ctrl_c_and_a_value) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGINT);
    co_await sleep_through("swallowed");
    co_return 42;
  });
}

SYNC_TEST(CtrlC, "gives the value of a main that returns one all the same [R74]") {
  const ProcessEnd end = run_program("ctrl_c_and_a_value");
  EXPECT_EQ(end.out, "swallowed\nvalue 42\n");
}

PROGRAM(ctrl_c_and_a_cancel) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGINT);
    get_running_loop().call_soon([main = *current_task()] { main.cancel(); });
    co_await sleep(1h);
    co_return 1;
  });
}

SYNC_TEST(CtrlC, "is CancelledError when somebody else cancelled main as well [R74]") {
  const ProcessEnd end = run_program("ctrl_c_and_a_cancel");
  EXPECT_EQ(end.out, "CancelledError\n");
}

PROGRAM(ctrl_c_twice) {
  return report_end([]() -> Coro<int> {
    create_task(sleep_through("other: cancelled")).detach();
    std::raise(SIGINT);
    co_await sleep_through("first");
    get_running_loop().call_soon([] { say("never"); });
    std::raise(SIGINT);
    co_await sleep_through("second");
    co_return 42;
  });
}

SYNC_TEST(CtrlC, "twice stops the loop before its next callback, whatever main does [R74]") {
  const ProcessEnd end = run_program("ctrl_c_twice");
  EXPECT_EQ(end.out.find("first\n"), 0u) << end.out;
  EXPECT_NE(end.out.find("second\n"), std::string::npos) << end.out;
  EXPECT_NE(end.out.find("other: cancelled\n"), std::string::npos) << end.out;
  EXPECT_NE(end.out.find("KeyboardInterrupt\n"), std::string::npos) << end.out;
  EXPECT_EQ(end.code, 0);
}

PROGRAM(ctrl_c_thrice) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGINT);
    std::raise(SIGINT);
    say("still here");
    std::raise(SIGINT);
    say("never");
    co_return 1;
  });
}

SYNC_TEST(CtrlC, "three times ends the process by the signal [R74]") {
  const ProcessEnd end = run_program("ctrl_c_thrice");
  EXPECT_EQ(end.signal, SIGINT);
  EXPECT_EQ(end.out, "still here\n");
}

PROGRAM(ctrl_c_while_blocked) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGINT);
    std::this_thread::sleep_for(1050ms);  // real: what is asked is whether the loop has turned
    std::raise(SIGINT);
    say("never");
    co_return 1;
  });
}

SYNC_TEST(CtrlC, "twice ends the process when the loop has not turned for a second [R74]") {
  const ProcessEnd end = run_program("ctrl_c_while_blocked");
  EXPECT_EQ(end.signal, SIGINT);
  EXPECT_EQ(end.out, "");
}

PROGRAM(ctrl_c_uncaught) {
  run([]() -> Coro<> {
    std::raise(SIGINT);
    co_await sleep(1h);
  }());
  return 0;
}

SYNC_TEST(CtrlC, "that nobody catches ends the process as by the signal [R74]") {
  const ProcessEnd end = run_program("ctrl_c_uncaught");
  EXPECT_EQ(end.signal, SIGINT);
}

PROGRAM(ctrl_c_with_the_users_handler) {
  std::signal(SIGINT, [](int) { say("the user's handler"); });
  const int code = report_end([]() -> Coro<int> {
    std::raise(SIGINT);
    co_await sleep(1ms);
    co_return 1;
  });
  std::raise(SIGINT);
  return code;
}

SYNC_TEST(CtrlC, "is the user's where there is a handler already [R74]") {
  const ProcessEnd end = run_program("ctrl_c_with_the_users_handler");
  EXPECT_EQ(end.out, "the user's handler\nvalue 1\nthe user's handler\n");
}

PROGRAM(ctrl_c_after_run) {
  run([]() -> Coro<> { co_return; }());
  std::raise(SIGINT);
  return 0;
}

SYNC_TEST(CtrlC, "has its default meaning again after run [R74]") {
  EXPECT_EQ(run_program("ctrl_c_after_run").signal, SIGINT);
}

PROGRAM(ctrl_c_not_handled) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGINT);
    co_return 1;
  }, {.handle_sigint = false});
}

SYNC_TEST(CtrlC, "is left alone by option [R74]") {
  EXPECT_EQ(run_program("ctrl_c_not_handled").signal, SIGINT);
}

PROGRAM(ctrl_c_in_a_thread) {
  std::thread([] {
    run([]() -> Coro<> {
      struct sigaction now {};
      ::sigaction(SIGINT, nullptr, &now);
      say(now.sa_handler == SIG_DFL ? "default" : "taken");
      co_return;
    }());
  }).join();
  return 0;
}

SYNC_TEST(CtrlC, "is only taken by a run on the main thread [R74]") {
  EXPECT_EQ(run_program("ctrl_c_in_a_thread").out, "default\n");
}

// ---- SIGTERM

PROGRAM(sigterm) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGTERM);
    co_await sleep_through("cancelled");
    throw CancelledError();
    co_return 1;
  }, {.handle_sigterm = true});
}

SYNC_TEST(Sigterm, "cancels main by option, and run throws SystemExit{143} [R74]") {
  EXPECT_EQ(run_program("sigterm").out, "cancelled\nSystemExit 143\n");
}

PROGRAM(sigterm_by_default) {
  return report_end([]() -> Coro<int> {
    std::raise(SIGTERM);
    co_return 1;
  });
}

SYNC_TEST(Sigterm, "ends the process where the option is not set [R74]") {
  EXPECT_EQ(run_program("sigterm_by_default").signal, SIGTERM);
}

PROGRAM(sigterm_uncaught) {
  run([]() -> Coro<> {
    std::raise(SIGTERM);
    co_await sleep(1h);
  }(), {.handle_sigterm = true});
  return 0;
}

SYNC_TEST(Sigterm, "that nobody catches ends the process as by the signal [R74]") {
  EXPECT_EQ(run_program("sigterm_uncaught").signal, SIGTERM);
}

PROGRAM(system_exit_uncaught) {
  run([]() -> Coro<> {
    throw SystemExit{3};
    co_return;
  }());
  return 0;
}

SYNC_TEST(SystemExit, "that nobody catches ends the process with its code [R77]") {
  const ProcessEnd end = run_program("system_exit_uncaught");
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(end.err, "");
}

// ---- errors that nobody catches

Coro<> fails() {
  co_await sleep(1ms);
  throw std::runtime_error("nobody catches this");
}
Coro<> calls_it() { co_await fails(); }

PROGRAM(error_uncaught) {
  run(calls_it());
  return 0;
}

SYNC_TEST(Uncaught, "an error prints its traceback before the process ends [R71]") {
  const ProcessEnd end = run_program("error_uncaught");
  EXPECT_EQ(end.signal, SIGABRT);
  EXPECT_EQ(end.err.find("Traceback (most recent await last):\n"), 0u) << end.err;
  EXPECT_NE(end.err.find("calls_it\n"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("fails\n"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("std::runtime_error: nobody catches this\n"), std::string::npos);
}

PROGRAM(error_caught) {
  try {
    run(calls_it());
  } catch (const std::runtime_error&) {
  }
  return 0;
}

SYNC_TEST(Uncaught, "an error that is caught prints nothing [R71]") {
  const ProcessEnd end = run_program("error_caught");
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.err, "");
}

PROGRAM(error_with_another_terminate_handler) {
  std::set_terminate([] {
    std::fprintf(stderr, "the user's terminate handler\n");
    std::_Exit(9);
  });
  run(calls_it());
  return 0;
}

SYNC_TEST(Uncaught, "an error is printed, then the terminate handler before ours called [R71]") {
  const ProcessEnd end = run_program("error_with_another_terminate_handler");
  EXPECT_EQ(end.code, 9);
  EXPECT_LT(end.err.find("nobody catches this"), end.err.find("the user's terminate handler"));
  EXPECT_NE(end.err.find("the user's terminate handler"), std::string::npos);
}

PROGRAM(error_that_left_no_run) {
  std::set_terminate([] { std::_Exit(9); });
  try {
    run(calls_it());
  } catch (const std::runtime_error&) {
  }
  throw std::runtime_error("thrown by main itself");
}

SYNC_TEST(Uncaught, "an error that did not leave run is none of ours [R71]") {
  const ProcessEnd end = run_program("error_that_left_no_run");
  EXPECT_EQ(end.code, 9);
  EXPECT_EQ(end.err, "");
}

PROGRAM(error_of_a_task_in_main) {
  run([]() -> Coro<> {
    auto task = create_task(fails(), {.name = "worker"});
    co_await sleep(5ms);
  }());
  return 0;
}

SYNC_TEST(Uncaught, "the default handler prints an error's traceback, with the task's name [R80]") {
  const ProcessEnd end = run_program("error_of_a_task_in_main");
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.err.find("Task exception was never retrieved\n  task: worker\nTraceback"), 0u)
      << end.err;
  EXPECT_NE(end.err.find("std::runtime_error: nobody catches this\n"), std::string::npos);
}

}  // namespace
}  // namespace asyncio
