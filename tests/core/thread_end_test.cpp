// Context variables and runs in destructors: at the end of a thread, and at that of the program.
// SPDX-License-Identifier: MIT
#include <asyncio/context.hpp>

#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/run.hpp>

#include <cstdio>
#include <functional>
#include <memory>
#include <thread>

namespace asyncio {
namespace {

using test::Events;

const ContextVar<std::string> who{"who", "nobody"};
const ContextVar<std::shared_ptr<void>> kept{"kept", nullptr};
constexpr const char* ada = "Ada, whose name is too long for the string itself";
constexpr const char* eve = "Eve, whose name is too long for the string itself";

struct Last {
  std::function<void()> words;
  ~Last() {
    if (words) words();
  }
};

// Runs `body` in a thread that says `words` when it has dropped its context.
template <class Body, class Words>
void thread_with_last_words(Body body, Words words) {
  std::thread([&] {
    static thread_local Last last;
    last.words = words;
    body();
  }).join();
}

std::shared_ptr<void> holder_of(std::function<void()> words) {
  return std::make_shared<Last>(std::move(words));
}

SYNC_TEST(ThreadEnd, "has variables show their defaults afterwards [R85]") {
  Events seen;
  thread_with_last_words([] { who.set(ada); }, [&] { seen.push_back(who.get()); });
  EXPECT_EQ(seen, (Events{"nobody"}));
}

SYNC_TEST(ThreadEnd, "frees what is set afterwards, too [R85]") {
  Events seen;
  const auto value = std::make_shared<int>(1);
  const auto set_late = [&] {
    who.set(eve);
    kept.set(value);
    seen.push_back(who.get());
  };
  thread_with_last_words([] { who.set(ada); }, set_late);
  EXPECT_EQ(seen, (Events{eve}));
  EXPECT_EQ(value.use_count(), 1);
}

SYNC_TEST(ThreadEnd, "has a value's destructor see no other values [R85]") {
  Events seen;
  std::thread([&] {
    who.set(ada);
    kept.set(holder_of([&] { seen.push_back(who.get()); }));
  }).join();
  EXPECT_EQ(seen, (Events{"nobody"}));
}

SYNC_TEST(ThreadEnd, "frees what the destructors of values set [R85]") {
  const auto value = std::make_shared<int>(1);
  std::thread([&] { kept.set(holder_of([value] { kept.set(value); })); }).join();
  EXPECT_EQ(value.use_count(), 1);
}

SYNC_TEST(ThreadEnd, "lets a destructor run a coroutine [R76]") {
  int answer = 0;
  const auto ask = [] {
    return run([]() -> Coro<int> { co_return who.get() == "nobody" ? 42 : 1; }());
  };
  const auto ask_and_set = [&] {
    who.set(ada);
    EXPECT_EQ(ask(), 1);
  };
  thread_with_last_words(ask_and_set, [&] { answer = ask(); });
  EXPECT_EQ(answer, 42);
}

// ---- the program's end

Last global;

PROGRAM(last_words_of_a_global) {
  global.words = [] {
    std::printf("%s, ", who.get().c_str());
    std::printf("%d\n", run([]() -> Coro<int> { co_return 42; }()));
  };
  who.set(ada);
  return 0;
}

SYNC_TEST(ProgramEnd, "has a global's destructor see defaults, and run coroutines [R85]") {
  const test::ProcessEnd end = test::run_program("last_words_of_a_global");
  EXPECT_EQ(end.code, 0) << end.signal << end.err;
  EXPECT_EQ(end.out, "nobody, 42\n");
}

}  // namespace
}  // namespace asyncio
