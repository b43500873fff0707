// The terminate handler: an error that leaves run() and that nobody catches is printed.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/core/uncaught.hpp>

#include <asyncio/exceptions.hpp>

#include "core/traceback.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

namespace asyncio::inline v0::detail {

namespace {

constinit thread_local int rethrowing_depth = 0;
std::terminate_handler handler_before = nullptr;

[[noreturn]] void end_by(int number) {
  std::fflush(nullptr);
  std::signal(number, SIG_DFL);
  std::raise(number);
  std::_Exit(128 + number);
}

[[noreturn]] void print_and_terminate() {
  if (rethrowing_depth > 0) {
    if (const std::exception_ptr error = std::current_exception()) {
      rethrowing_depth = 0;
      try {
        std::rethrow_exception(error);
      } catch (const KeyboardInterrupt&) {
        end_by(SIGINT);
      } catch (const SystemExit& exit) {
        if (exit.code == 128 + SIGTERM) end_by(SIGTERM);
        std::fflush(nullptr);
        std::_Exit(exit.code);
      } catch (...) {
        const std::string text = format(error);
        std::fflush(stdout);
        std::fwrite(text.data(), 1, text.size(), stderr);
        std::fflush(stderr);
      }
    }
  }
  if (handler_before) handler_before();
  std::abort();
}

}  // namespace

Rethrowing::Rethrowing() noexcept {
  static const bool installed = [] {
    handler_before = std::set_terminate(&print_and_terminate);
    return true;
  }();
  static_cast<void>(installed);
  ++rethrowing_depth;
}

Rethrowing::~Rethrowing() { --rethrowing_depth; }

bool debug_by_default() noexcept {
  const char* wish = secure_getenv("ASYNCIO_DEBUG");
  return wish && *wish && std::strcmp(wish, "0") != 0;
}

}  // namespace asyncio::inline v0::detail
