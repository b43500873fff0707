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

bool GeneratorStep::yielded() {
  if (!generator_) return false;
  if (generator_->standing.failed()) {
    raise_from_child(generator_->standing.take_error(), *awaiting_);
  }
  return generator_->state == GeneratorPromise::State::yielded;
}

void GeneratorStep::closed() {
  if (!generator_) return;
  using State = GeneratorPromise::State;
  if (generator_->state == State::fresh) {
    generator_->state = State::ended;
    return;
  }
  if (generator_->state == State::yielded) {
    throw RuntimeError("AsyncGenerator::aclose: the body ignored GeneratorExit and yielded again");
  }
  std::exception_ptr error = generator_->standing.take_error();
  if (!error) return;
  if (*error.__cxa_exception_type() == typeid(GeneratorExit)) return;
  raise_from_child(std::move(error), *awaiting_);
}

}  // namespace asyncio::inline v0::detail
