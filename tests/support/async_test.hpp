// ASYNC_TEST and SYNC_TEST: a sentence as the name, a coroutine or function as the body.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/testing.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

// The body is a coroutine on a virtual clock. EXPECT_* work in it; ASSERT_* do not compile, since
// they `return`: write `if (!ok) co_return;` after an EXPECT where going on makes no sense. Name
// what you await before you compare it: g++ 12 is not to be trusted with co_await inside a macro.
#define ASYNC_TEST(suite, sentence) ASYNCIO_TEST_(suite, sentence, ::asyncio::Coro<>, __LINE__)
// The body is a plain function, for tests that run loops themselves.
#define SYNC_TEST(suite, sentence) ASYNCIO_TEST_(suite, sentence, void, __LINE__)

#define ASYNCIO_TEST_(suite, sentence, result, line) \
  ASYNCIO_TEST_LINE_(suite, sentence, result, line)
#define ASYNCIO_TEST_LINE_(suite, sentence, result, line)                                     \
  static result body_##line();                                                                \
  [[maybe_unused]] static const bool added_##line =                                           \
      ::asyncio::test::add(#suite, sentence, __FILE__, line, &body_##line);                   \
  static result body_##line()

namespace asyncio::test {

using Events = std::vector<std::string>;

/// Checks after each test that frames and descriptors are back, that no task or timer of an
/// ASYNC_TEST is left at its end, and that nobody wrote to stderr.
class Fixture : public ::testing::Test {
 public:
  explicit Fixture(void (*body)()) : plain_(body) {}
  explicit Fixture(Coro<> (*body)()) : coroutine_(body) {}

 protected:
  void SetUp() override;
  void TestBody() override;
  void TearDown() override;

 private:
  void (*plain_)() = nullptr;
  Coro<> (*coroutine_)() = nullptr;
  std::ptrdiff_t frames_ = 0;
  std::size_t descriptors_ = 0;
};

template <class Body>
bool add(const char* suite, const char* sentence, const char* file, int line, Body body) {
  ::testing::RegisterTest(suite, sentence, nullptr, nullptr, file, line,
                          [body]() -> Fixture* { return new Fixture(body); });
  return true;
}

/// What was written to stderr since the test began or since the last call; a test that expects a
/// report takes it away with this.
std::string take_stderr();

/// Collects "message" or "message: type: what" of everything that a loop reports from now on.
std::shared_ptr<Events> record_reports(EventLoop& loop);
inline std::shared_ptr<Events> record_reports() { return record_reports(get_running_loop()); }

/// Open descriptors of this process.
std::size_t open_descriptors();

}  // namespace asyncio::test
