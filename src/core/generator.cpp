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

namespace {

/// Destroys, at the end of a step, the frame of a generator that was given up meanwhile.
class GivenUp {
 public:
  explicit GivenUp(GeneratorPromise& generator) noexcept
      : generator_(generator.owner ? nullptr : &generator) {}
  GivenUp(const GivenUp&) = delete;
  GivenUp& operator=(const GivenUp&) = delete;
  ~GivenUp() {
    if (generator_) PromiseBase::handle_of(*generator_).destroy();
  }

 private:
  GeneratorPromise* generator_;
};

}  // namespace

Raised GeneratorStep::error() noexcept {
  if (!generator_->owner) return error_of_child(*generator_);
  return raised_in(*generator_->parent, generator_->standing.take_error());
}

void GeneratorStep::throw_given_up() {
  // Frames end inside out: the body's locals first, then the error.
  PromiseBase::handle_of(*generator_).destroy();
  throw RuntimeError("AsyncGenerator::next: the generator was destroyed while this was pending");
}

Raised GeneratorStep::error_of_close() {
  if (!generator_) return nullptr;
  const GivenUp given_up(*generator_);
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
  return raised_in(*generator_->parent, std::move(error));
}

}  // namespace asyncio::inline v0::detail
