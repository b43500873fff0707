// AsyncGenerator: what becomes of a variable that is yielded.
// SPDX-License-Identifier: MIT
#include <asyncio/generator.hpp>

#include "combine/words.hpp"

#include <stdexcept>

namespace asyncio {
namespace {

using test::end_of;
using test::Events;

struct Counted {
  Counted() = default;
  Counted(const Counted& from) : copies(from.copies + 1) {}
  Counted(Counted&& from) noexcept = default;
  Counted& operator=(const Counted&) = delete;
  ~Counted() = default;
  int copies = 0;
};

AsyncGenerator<Counted> give_counted(Counted& variable) {
  const Counted constant;
  co_yield variable;
  co_yield constant;
  co_yield Counted();
  co_yield std::move(variable);
}

ASYNC_TEST(Generator, "copies a variable once, and moves what is a temporary or given away") {
  Counted variable;
  auto all = give_counted(variable);
  const auto copied = co_await all.next();
  const auto of_constant = co_await all.next();
  const auto temporary = co_await all.next();
  const auto moved = co_await all.next();
  EXPECT_EQ(copied->copies, 1);
  EXPECT_EQ(of_constant->copies, 1);
  EXPECT_EQ(temporary->copies, 0);
  EXPECT_EQ(moved->copies, 0);
}

AsyncGenerator<std::string> give_each(std::vector<std::string>& texts) {
  for (auto& text : texts) co_yield text;
  for (const auto& text : texts) co_yield text;
}

ASYNC_TEST(Generator, "leaves the variables that it yields as they are") {
  const std::string one = "a text too long for the small string buffer";
  std::vector<std::string> texts{one, one};
  auto generator = give_each(texts);
  Events taken;
  while (auto text = co_await generator.next()) taken.push_back(*text);
  EXPECT_EQ(taken, (Events{one, one, one, one}));
  EXPECT_EQ(texts, (Events{one, one}));
}

struct FailsToCopy {
  FailsToCopy() = default;
  FailsToCopy(const FailsToCopy& from) : text(from.text) { throw std::runtime_error("copy"); }
  FailsToCopy(FailsToCopy&& from) = default;
  FailsToCopy& operator=(const FailsToCopy&) = delete;
  ~FailsToCopy() = default;
  std::string text = "a text too long for the small string buffer";
};

AsyncGenerator<FailsToCopy> give_failing(Events& events) {
  FailsToCopy item;
  try {
    co_yield item;
  } catch (const std::runtime_error& error) {
    events.push_back(error.what());
  }
  co_yield std::move(item);
  FailsToCopy other;
  co_yield other;
}

ASYNC_TEST(Generator, "throws at the co_yield what a copy throws") {
  Events events;
  auto generator = give_failing(events);
  const auto moved = co_await generator.next();
  const auto rest = [](AsyncGenerator<FailsToCopy>& from) -> Coro<std::string> {
    co_return co_await from.next() ? "value" : "end";
  };
  events.push_back(moved->text);
  events.push_back(co_await end_of(rest(generator)));
  events.push_back(co_await end_of(rest(generator)));
  EXPECT_EQ(events, (Events{"copy", FailsToCopy().text, "copy", "end"}));
}

}  // namespace
}  // namespace asyncio
