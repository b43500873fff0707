// What debuggers and profilers see of an exception that is raised directly.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/base/raise.hpp>

#include "base/raise_test.hpp"
#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// ---- a debugger

Coro<> thrower() {
  co_await sleep(0s);
  throw std::runtime_error("seen by the debugger");
}
Coro<> passing() { co_await thrower(); }
Coro<> catcher() {
  try {
    co_await passing();
  } catch (const std::runtime_error& error) {
    std::puts(error.what());
  }
}

PROGRAM(throws_and_catches) {
  run(catcher());
  return 0;
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (!pipe) return out;
  char bytes[4096];
  while (const std::size_t count = std::fread(bytes, 1, sizeof bytes, pipe)) {
    out.append(bytes, count);
  }
  ::pclose(pipe);
  return out;
}

// What gdb says of PROGRAM throws_and_catches at the catchpoint `what`; empty where there is no
// gdb, or it may not trace.
std::string gdb_at(const std::string& what) {
  char self[4096] = {};
  if (::readlink("/proc/self/exe", self, sizeof self - 1) < 0) return "";
  const std::string out = output_of(
      "gdb -nx -batch -ex 'set breakpoint pending on' -ex 'catch " + what +
      "' -ex run -ex bt -ex 'info breakpoints' -ex kill --args '" + self +
      "' --program=throws_and_catches 2>&1 </dev/null");
  return out.find("Catchpoint 1 (exception ") == std::string::npos ? "" : out;
}

SYNC_TEST(Debugger, "catch throw stops at the throw, below the coroutine that throws") {
  const std::string out = gdb_at("throw");
  if (out.empty()) GTEST_SKIP() << "needs gdb, which does not run here";
  EXPECT_NE(out.find("Catchpoint 1 (exception thrown)"), std::string::npos) << out;
  EXPECT_NE(out.find("thrower"), std::string::npos) << out;
  EXPECT_NE(out.find("drive"), std::string::npos) << out;  // the backtrace goes on to the loop
}

SYNC_TEST(Debugger, "catch catch stops in a handler, with a whole backtrace") {
  const std::string out = gdb_at("catch");
  if (out.empty()) GTEST_SKIP() << "needs gdb, which does not run here";
  EXPECT_NE(out.find("Catchpoint 1 (exception caught)"), std::string::npos) << out;
  EXPECT_NE(out.find("thrower"), std::string::npos) << out;
  EXPECT_NE(out.find("main"), std::string::npos) << out;
}

// ---- an unwinder, at each instruction of the stub

#if defined(__x86_64__) && defined(__GLIBCXX__)

constexpr std::uintptr_t single_step = 0x100;  // the trap flag

struct Stepping {
  std::uintptr_t begin = 0;    // of the stub
  std::uintptr_t end = 0;      // behind its last instruction
  std::uintptr_t call = 0;     // where the stub's caller goes on
  std::uintptr_t outside = 0;  // where that caller's caller does
  std::set<std::uintptr_t> seen;
  std::set<std::uintptr_t> wrong;
} stepping;

struct Frames {
  std::uintptr_t at[64];
  int count = 0;
};

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* to) {
  auto& frames = *static_cast<Frames*>(to);
  if (frames.count == 64) return _URC_END_OF_STACK;
  frames.at[frames.count++] = _Unwind_GetIP(context);
  return _URC_NO_REASON;
}

void look_around(int, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto pc = static_cast<std::uintptr_t>(registers[REG_RIP]);
  if (pc < stepping.begin || pc >= stepping.end) {
    // In the handler, unless it is still in what the stub calls or comes from.
    if (stepping.seen.count(stepping.end - 2)) registers[REG_EFL] &= ~long{single_step};
    return;
  }
  if (pc == stepping.begin) {
    stepping.call = *reinterpret_cast<const std::uintptr_t*>(registers[REG_RSP]);
  }
  stepping.seen.insert(pc);
  Frames frames;
  _Unwind_Backtrace(&note_frame, &frames);
  const std::uintptr_t expected[] = {pc, stepping.call, stepping.outside};
  std::uintptr_t* const end = frames.at + frames.count;
  if (std::search(frames.at, end, expected, expected + 3) == end) stepping.wrong.insert(pc);
}

[[gnu::noinline]] bool raise_in_steps(std::exception_ptr error) {
  stepping.outside = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  const detail::Raised raised = detail::give_up(std::move(error));
  try {
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\t"  // past the red zone
        "pushfq\n\t"
        "orq %0, (%%rsp)\n\t"
        "popfq\n\t"
        "leaq 128(%%rsp), %%rsp" : : "i"(single_step) : "memory", "cc");
    asyncio_raise(raised);
  } catch (...) {
    return true;
  }
}

SYNC_TEST(Unwinder, "finds its way from each instruction of the stub") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "sanitizers take part in the delivery of signals";
#endif
  if (!detail::raises_directly()) GTEST_SKIP() << "exceptions are raised by unwinding here";
  stepping.begin = reinterpret_cast<std::uintptr_t>(&asyncio_raise);
  const auto* byte = reinterpret_cast<const unsigned char*>(&asyncio_raise);
  while (!(byte[0] == 0xff && byte[1] == 0xe1)) ++byte;  // jmp *%rcx, the last one
  stepping.end = reinterpret_cast<std::uintptr_t>(byte + 2);

  struct sigaction looking = {};
  struct sigaction before = {};
  looking.sa_sigaction = &look_around;
  looking.sa_flags = SA_SIGINFO;
  ASSERT_EQ(::sigaction(SIGTRAP, &looking, &before), 0);
  const bool caught = raise_in_steps(std::make_exception_ptr(std::runtime_error("in steps")));
  ::sigaction(SIGTRAP, &before, nullptr);

  EXPECT_TRUE(caught);
  EXPECT_GE(stepping.seen.size(), 10u);
  for (std::uintptr_t pc : stepping.wrong) ADD_FAILURE() << "at byte " << pc - stepping.begin;
}

#endif

}  // namespace
}  // namespace asyncio
