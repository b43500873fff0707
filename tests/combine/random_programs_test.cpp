// Thousands of random programs that throw and catch do the same, raised directly or by unwinding.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include "base/raise_test.hpp"
#include "support/async_test.hpp"

#include <asyncio/detail/base/raise.hpp>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// ---- what is thrown

struct Base {
  int base = 1;
  virtual ~Base() = default;
};
struct Derived : Base {
  int derived = 2;
};
struct Other {
  long other = 3;
};
struct Both : Other, Derived {
  int both = 4;
};
struct Virtual : virtual Base {
  int through = 5;
};
enum class Color { red = 6 };
struct Big {
  std::string text = "a text that needs memory of its own, by its length";
  int numbers[40] = {7};
};

constexpr unsigned kinds = 12;

[[noreturn, gnu::noinline]] void throw_one(unsigned kind) {
  static Both both;
  switch (kind % kinds) {
    case 0: throw 42;
    case 1: throw 43L;
    case 2: throw "words";
    case 3: throw Base();
    case 4: throw Derived();
    case 5: throw Both();
    case 6: throw Virtual();
    case 7: throw static_cast<Derived*>(&both);
    case 8: throw Color::red;
    case 9: throw Big();
    case 10: throw std::runtime_error("a runtime error");
    default: throw std::invalid_argument("a value");
  }
}

// ---- what is seen

class Log {
 public:
  void note(const char* what, long number = 0) {
    text_ += what;
    text_ += std::to_string(number);
    text_ += ' ';
  }
  void note_current(const char* where) {
    const std::exception_ptr current = std::current_exception();
    text_ += where;
    text_ += current ? current.__cxa_exception_type()->name() : "-";
    note("/", std::uncaught_exceptions());
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct Witness {
  Log& log;
  long number;
  ~Witness() { log.note("~", number * 10 + std::uncaught_exceptions()); }
};

// Throws and catches while it is being destroyed.
struct Busy {
  Log& log;
  ~Busy() {
    try {
      throw_one(static_cast<unsigned>(log.text().size()));
    } catch (...) {
      log.note_current("busy:");
    }
    log.note("busy", std::uncaught_exceptions());
  }
};

// ---- a program: what comes next is drawn as it runs, from the seed and nothing else

struct Program {
  Log log;
  std::uint64_t state;

  explicit Program(std::uint64_t seed) : state(seed * 2 + 1) {}
  unsigned draw(unsigned below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(state >> 33) % below;
  }
};

Coro<int> step(Program& program, int depth);

Coro<int> leaf(Program& program) {
  const Witness witness{program.log, 1};
  switch (program.draw(4)) {
    case 0: co_return 1;
    case 1: co_await sleep(0s); co_return 2;
    case 2: co_await sleep(1ms); throw_one(program.draw(kinds));
    default: throw_one(program.draw(kinds));
  }
}

Coro<int> by_type(Program& program, int depth) {
  try {
    const Witness witness{program.log, 2};
    co_return co_await step(program, depth);
  } catch (int caught) {
    program.log.note("int", caught);
  } catch (const Derived& caught) {
    program.log.note("Derived", caught.derived + caught.base);
  } catch (Base* caught) {
    program.log.note("Base*", caught->base);
  } catch (Color caught) {
    program.log.note("Color", static_cast<long>(caught));
  } catch (const std::exception& caught) {
    program.log.note(caught.what());
  }
  co_return 3;
}

Coro<int> by_base(Program& program, int depth) {
  try {
    try {
      co_return co_await step(program, depth);
    } catch (const Other& caught) {
      program.log.note("Other", caught.other);
      program.log.note_current("in:");
    } catch (const Big caught) {  // a copy
      program.log.note(caught.text.c_str(), caught.numbers[0]);
      throw;
    }
  } catch (const Base& caught) {
    program.log.note("Base", caught.base);
    program.log.note_current("in:");
    throw Other();
  }
  co_return 4;
}

Coro<int> by_nothing(Program& program, int depth) {
  const bool again = program.draw(2) == 0;
  const unsigned other = program.draw(kinds * 2);
  try {
    const Busy busy{program.log};
    co_return co_await step(program, depth);
  } catch (...) {
    program.log.note_current("all:");
    if (again) throw;
    if (other < kinds) throw_one(other);
  }
  program.log.note_current("after:");
  co_return 5;
}

Coro<int> keeping(Program& program, int depth) {
  std::exception_ptr kept;
  try {
    co_return co_await step(program, depth);
  } catch (...) {
    kept = std::current_exception();
  }
  const int value = co_await step(program, depth);
  program.log.note("kept", value);
  if (program.draw(2) == 0) co_return 6;
  std::rethrow_exception(kept);
}

Coro<int> nested(Program& program, int depth) {
  try {
    try {
      const Witness outer{program.log, 3};
      co_await step(program, depth);
    } catch (long caught) {
      program.log.note("long", caught);
      try {
        throw_one(program.draw(kinds));
      } catch (const Derived&) {
        program.log.note_current("nested:");
      }
      program.log.note_current("outer:");
    } catch (const char* caught) {
      program.log.note(caught);
      throw Virtual();
    }
  } catch (const Virtual& caught) {
    program.log.note("Virtual", caught.through + caught.base);
  }
  co_return 7;
}

AsyncGenerator<int> numbers(Program& program, int depth) {
  const Witness witness{program.log, 4};
  for (int i = 0; i < 3; ++i) co_yield co_await step(program, depth) + i;
}

Coro<int> asking(Program& program, int depth) {
  auto generator = numbers(program, depth);
  int sum = 0;
  while (auto number = co_await generator.next()) sum += *number;
  co_return sum;
}

Coro<int> in_a_group(Program& program, int depth) {
  co_await task_group([&program, depth](TaskGroup& group) -> Coro<> {
    group.create_task(step(program, depth)).detach();
    group.create_task(leaf(program)).detach();
    co_await sleep(2ms);
  });
  co_return 8;
}

Coro<int> in_time(Program& program, int depth) {
  try {
    co_return co_await wait_for(step(program, depth), 1ms);
  } catch (const TimeoutError&) {
    program.log.note_current("late:");
  }
  co_return 9;
}

Coro<int> cleaning(Program& program, int depth) {
  co_return co_await finally([&program, depth]() -> Coro<int> { return step(program, depth); },
                             [&program]() -> Coro<> {
                               program.log.note_current("clean:");
                               co_await sleep(0s);
                             });
}

Coro<int> cancelled(Program& program, int depth) {
  auto task = create_task(step(program, depth));
  co_await sleep(0s);
  task.cancel("enough");
  try {
    co_return co_await task;
  } catch (const CancelledError& caught) {
    program.log.note(std::string(caught.message()).c_str());
  }
  co_return 10;
}

Coro<int> step(Program& program, int depth) {
  const Witness witness{program.log, depth};
  if (depth == 0) co_return co_await leaf(program);
  const int below = depth - 1;
  switch (program.draw(15)) {
    case 0: co_return co_await leaf(program);
    case 1:
    case 2: co_return co_await by_type(program, below);
    case 3: co_return co_await by_base(program, below);
    case 4:
    case 5: co_return co_await by_nothing(program, below);
    case 6: co_return co_await keeping(program, below);
    case 7: co_return co_await nested(program, below);
    case 8: co_return co_await asking(program, below);
    case 9: co_return co_await in_a_group(program, below);
    case 10: co_return co_await in_time(program, below);
    case 11: co_return co_await cleaning(program, below);
    case 12: co_return co_await cancelled(program, below);
    case 13: {
      auto [first, second] = co_await gather(step(program, below), leaf(program));
      co_return first + second;
    }
    default: co_return co_await create_task(step(program, below));
  }
}

std::string run_program_of(std::uint64_t seed, bool by_unwinding) {
  Program program(seed);
  detail::raise_by_unwinding(by_unwinding);
  try {
    const int value = testing::run(step(program, 6));
    program.log.note("value", value);
  } catch (...) {
    program.log.note_current("end:");
    program.log.note(format_exception(std::current_exception()).c_str());
  }
  detail::raise_by_unwinding(false);
  program.log.note_current("left:");
  return program.log.text();
}

std::uint64_t how_many_programs() {
  const char* const wish = std::getenv("ASYNCIO_TEST_PROGRAMS");
  return wish ? std::strtoull(wish, nullptr, 10) : 3000;
}

SYNC_TEST(RandomPrograms, "see the same whichever way an exception is raised") {
  const std::uint64_t programs = how_many_programs();
  const auto before = detail::raise_counts();
  int differences = 0;
  for (std::uint64_t seed = 1; seed <= programs && differences < 3; ++seed) {
    const std::string expected = run_program_of(seed, true);
    const std::string seen = run_program_of(seed, false);
    if (seen != expected) ++differences;
    EXPECT_EQ(seen, expected) << "seed " << seed;
  }
  test::take_stderr();  // errors that nobody asked for: the programs drop tasks
  if (detail::raises_directly()) {
    EXPECT_GT(detail::raise_counts().direct - before.direct, programs);
  }
}

}  // namespace
}  // namespace asyncio
