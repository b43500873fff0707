// The exceptions are what Python's are, and groups come apart by type.
// SPDX-License-Identifier: MIT
#include <asyncio/exceptions.hpp>

#include "support/async_test.hpp"

#include <asyncio/outcome.hpp>

#include <cerrno>
#include <type_traits>

namespace asyncio {
namespace {

using test::Events;

template <class... E>
constexpr bool copied_without_throwing = (std::is_nothrow_copy_constructible_v<E> && ...);

static_assert(copied_without_throwing<CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit,
                                      RuntimeError, InvalidStateError, TimeoutError, LookupError,
                                      Deadlock, ExceptionGroup>,
              "[A20] an exception that throws while it is copied ends the process");
static_assert(!std::is_base_of_v<std::exception, CancelledError>);
static_assert(!std::is_base_of_v<std::exception, KeyboardInterrupt>);
static_assert(!std::is_base_of_v<std::exception, SystemExit>);
static_assert(!std::is_base_of_v<std::exception, GeneratorExit>);
static_assert(std::is_base_of_v<std::logic_error, RuntimeError>);
static_assert(std::is_base_of_v<RuntimeError, InvalidStateError>);
static_assert(std::is_base_of_v<std::system_error, TimeoutError>);
static_assert(std::is_base_of_v<std::runtime_error, LookupError>);
static_assert(std::is_base_of_v<std::runtime_error, Deadlock>);
static_assert(std::is_base_of_v<std::runtime_error, ExceptionGroup>);

struct ValueError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct KeyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class E>
std::exception_ptr make(const char* text) {
  return std::make_exception_ptr(E(text));
}
std::exception_ptr group(const char* message, std::vector<std::exception_ptr> errors) {
  return std::make_exception_ptr(ExceptionGroup(message, std::move(errors)));
}

// "outer: a, (inner: b)": a group as one line.
std::string describe(const ExceptionGroup& errors) {
  std::string text = std::string(errors.message()) + ":";
  for (const std::exception_ptr& error : errors.exceptions()) {
    try {
      std::rethrow_exception(error);
    } catch (const ExceptionGroup& inner) {
      text += " (" + describe(inner) + ")";
    } catch (const std::exception& other) {
      text += std::string(" ") + other.what();
    }
  }
  return text;
}
std::string describe(const std::optional<ExceptionGroup>& errors) {
  return errors ? describe(*errors) : "none";
}

ExceptionGroup tree() {
  return ExceptionGroup("outer", {make<ValueError>("v1"), make<KeyError>("k1"),
                                  group("inner", {make<ValueError>("v2"), make<KeyError>("k2")})});
}

SYNC_TEST(ExceptionGroup, "says how many it holds, and what they say [C18]") {
  const ExceptionGroup errors("two", {make<ValueError>("a"), make<KeyError>("b")});
  const std::string text = errors.what();
  EXPECT_EQ(text.find("two (2 sub-exceptions): "), 0u) << text;
  EXPECT_NE(text.find("ValueError: a; "), std::string::npos) << text;
  EXPECT_NE(text.find("KeyError: b"), std::string::npos) << text;
}

SYNC_TEST(ExceptionGroup, "cannot be empty or hold nothing") {
  EXPECT_THROW(ExceptionGroup("none", {}), std::invalid_argument);
  EXPECT_THROW(ExceptionGroup("null", {nullptr}), std::invalid_argument);
}

SYNC_TEST(ExceptionGroup, "splits by type at any depth, and both parts keep the tree [C18]") {
  const auto parts = tree().split<ValueError>();
  EXPECT_EQ(describe(parts.matched), "outer: v1 (inner: v2)");
  EXPECT_EQ(describe(parts.rest), "outer: k1 (inner: k2)");
}

SYNC_TEST(ExceptionGroup, "splits by a base class into everything and nothing") {
  const auto parts = tree().split<std::runtime_error>();
  EXPECT_EQ(describe(parts.matched), "outer: v1 k1 (inner: v2 k2)");
  EXPECT_FALSE(parts.rest.has_value());
}

SYNC_TEST(ExceptionGroup, "is parted, not taken for the std::exception that it is itself") {
  const auto error = std::make_exception_ptr(std::logic_error("a bug"));
  const auto inner = std::make_exception_ptr(ExceptionGroup("inner", {error}));
  const ExceptionGroup outer("outer", {inner});
  const auto rest = outer.handle<std::runtime_error>([](const std::runtime_error&) { FAIL(); });
  EXPECT_EQ(describe(rest), "outer: (inner: a bug)");
  EXPECT_TRUE(outer.subgroup<ExceptionGroup>().has_value());
  EXPECT_FALSE(outer.split<ExceptionGroup>().rest.has_value());
}

SYNC_TEST(ExceptionGroup, "gives an empty subgroup where nothing matches") {
  EXPECT_FALSE(tree().subgroup<std::bad_alloc>().has_value());
  EXPECT_EQ(describe(tree().subgroup<KeyError>()), "outer: k1 (inner: k2)");
}

SYNC_TEST(ExceptionGroup, "hands every match to the handler and gives back the others [C18]") {
  Events handled;
  const auto rest = tree().handle<ValueError>(
      [&](const ValueError& error) { handled.emplace_back(error.what()); });
  EXPECT_EQ(handled, (Events{"v1", "v2"}));
  EXPECT_EQ(describe(rest), "outer: k1 (inner: k2)");
}

SYNC_TEST(ExceptionGroup, "lets what the handler throws leave") {
  EXPECT_THROW(tree().handle<ValueError>([](const ValueError&) { throw KeyError("new"); }),
               KeyError);
}

SYNC_TEST(ExceptionGroup, "shares its errors with its copies") {
  const ExceptionGroup first = tree();
  const ExceptionGroup copy = first;
  EXPECT_EQ(&first.exceptions(), &copy.exceptions());
}

SYNC_TEST(Exceptions, "CancelledError keeps its message, through copies") {
  const CancelledError error("enough");
  const CancelledError copy = error;
  EXPECT_EQ(copy.message(), "enough");
  EXPECT_EQ(CancelledError().message(), "");
}

SYNC_TEST(Exceptions, "TimeoutError is ETIMEDOUT") {
  const TimeoutError error;
  EXPECT_EQ(error.code().value(), ETIMEDOUT);
  EXPECT_EQ(error.code(), std::errc::timed_out);
  EXPECT_STREQ(error.what(), "the time limit has passed");
}

SYNC_TEST(Exceptions, "TimeoutError keeps its own words, through copies") {
  const TimeoutError error("no answer from the shop");
  const TimeoutError copy = error;
  EXPECT_STREQ(copy.what(), "no answer from the shop");
  EXPECT_EQ(copy.code(), std::errc::timed_out);
}

SYNC_TEST(Outcome, "is a value, an error or a cancellation") {
  const Outcome<int> value(7);
  const Outcome<int> error(make<ValueError>("bad"));
  const Outcome<int> cancelled(std::make_exception_ptr(CancelledError()));
  EXPECT_TRUE(value.has_value() && !value.cancelled() && !value.exception());
  EXPECT_TRUE(!error.has_value() && !error.cancelled() && error.exception());
  EXPECT_TRUE(!cancelled.has_value() && cancelled.cancelled() && cancelled.exception());
}

SYNC_TEST(Outcome, "gives its value, or throws what it holds") {
  EXPECT_EQ(Outcome<int>(7).value(), 7);
  EXPECT_THROW(Outcome<int>(make<ValueError>("bad")).value(), ValueError);
  EXPECT_THROW(Outcome<>(std::make_exception_ptr(CancelledError())).value(), CancelledError);
  EXPECT_NO_THROW(Outcome<>().value());
}

SYNC_TEST(Outcome, "of a reference refers to the object [A24]") {
  int number = 1;
  const Outcome<int&> outcome(&number);
  outcome.value() = 5;
  EXPECT_EQ(number, 5);
}

SYNC_TEST(Outcome, "moves its value out [A24]") {
  Outcome<std::unique_ptr<int>> outcome(std::make_unique<int>(3));
  const std::unique_ptr<int> value = std::move(outcome).value();
  EXPECT_EQ(*value, 3);
}

}  // namespace
}  // namespace asyncio
