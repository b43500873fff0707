// How a step of an asynchronous generator ends.
// SPDX-License-Identifier: MIT
#include <asyncio/generator.hpp>

#include <asyncio/exceptions.hpp>

#include <string>

namespace asyncio::inline v0::detail {

void GeneratorPromise::Yield::throw_generator_exit() { throw GeneratorExit(); }

void throw_generator_running(const char* what) {
  throw RuntimeError(std::string("AsyncGenerator::") + what +
                     ": another next() or aclose() is under way");
}

Raised GeneratorStep::error() noexcept {
  return raised_in(*awaiting_, generator_->standing.take_error());
}

Raised GeneratorStep::error_of_close() {
  if (!generator_) return nullptr;
  using State = GeneratorPromise::State;
  if (generator_->state == State::fresh) {
    generator_->state = State::ended;
    return nullptr;
  }
  if (generator_->state == State::yielded) {
    throw RuntimeError("AsyncGenerator::aclose: the body ignored GeneratorExit and yielded again");
  }
  std::exception_ptr error = generator_->standing.take_error();
  if (!error || *error.__cxa_exception_type() == typeid(GeneratorExit)) return nullptr;
  return raised_in(*awaiting_, std::move(error));
}

}  // namespace asyncio::inline v0::detail
