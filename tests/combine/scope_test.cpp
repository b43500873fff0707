// with, finally, try_ and AsyncExitStack: what is owed on the way out is done, once, in order.
// SPDX-License-Identifier: MIT
#include <asyncio/scope.hpp>

#include "combine/words.hpp"

#include <asyncio/sleep.hpp>

#include <memory>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::end_of;
using test::Events;

// Events around `co_await wait(events, "x")`: "x", or "x C" when it is cut.
Coro<> wait_for_it(Events& events, std::string name) {
  try {
    co_await sleep(9s);
  } catch (const CancelledError&) {
    events.push_back(name + " C");
    throw;
  }
  events.push_back(name);
}

// ---- finally

ASYNC_TEST(Finally, "runs the clean-up after the body and gives the body's value") {
  Events events;
  const int value = co_await finally(
      [&]() -> Coro<int> {
        co_await sleep(1s);
        events.push_back("body");
        co_return 7;
      },
      [&]() -> Coro<> {
        co_await sleep(1s);
        events.push_back("cleanup");
      });
  EXPECT_EQ(value, 7);
  EXPECT_EQ(events, (Events{"body", "cleanup"}));
}

ASYNC_TEST(Finally, "takes a clean-up that is a plain function") {
  Events events;
  co_await finally([]() -> Coro<> { co_return; }, [&] { events.push_back("cleanup"); });
  EXPECT_EQ(events, (Events{"cleanup"}));
}

ASYNC_TEST(Finally, "awaits what its clean-up returns, be it a coroutine or not") {
  const auto begin = get_running_loop().now();
  const auto nothing = []() -> Coro<> { co_return; };
  co_await finally(nothing, [] { return sleep(1s); });
  co_await finally(nothing, [] { return create_task(sleep(1s)); });
  AsyncExitStack stack;
  stack.push_async([] { return sleep(1s); });
  co_await stack.aclose();
  EXPECT_EQ(get_running_loop().now() - begin, 3s);
}

ASYNC_TEST(Finally, "runs the clean-up when the body fails, and lets the error pass") {
  Events events;
  events.push_back(co_await end_of(finally(
      []() -> Coro<> {
        co_await sleep(1s);
        throw std::runtime_error("error");
      },
      [&]() -> Coro<> {
        co_await sleep(1s);
        events.push_back("cleanup");
      })));
  EXPECT_EQ(events, (Events{"cleanup", "error"}));
}

ASYNC_TEST(Finally, "runs the clean-up when the body fails before it is a coroutine") {
  Events events;
  events.push_back(co_await end_of(
      finally([]() -> Coro<> { throw std::runtime_error("error"); },
              [&] { events.push_back("cleanup"); })));
  EXPECT_EQ(events, (Events{"cleanup", "error"}));
}

ASYNC_TEST(Finally, "runs the clean-up of a cancelled body undisturbed [R21]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await finally([&] { return wait_for_it(events, "body"); },
                     [&] { return wait_for_it(events, "cleanup"); });
  });
  co_await sleep(1s);
  task.cancel();
  const auto end = co_await task.join();
  EXPECT_EQ(events, (Events{"body C", "cleanup"}));
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(Finally, "has its clean-up interrupted by a second request, once [R21] [C11]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await finally([&] { return wait_for_it(events, "body"); },
                     [&] { return wait_for_it(events, "cleanup"); });
  });
  co_await sleep(1s);
  task.cancel();
  co_await sleep(1s);
  task.cancel();
  const auto end = co_await task.join();
  EXPECT_EQ(events, (Events{"body C", "cleanup C"}));
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(Finally, "begins its body in a task that cancelled itself [R17]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    current_task()->cancel();
    co_await finally(
        [&]() -> Coro<> {
          events.push_back("body");
          co_await sleep(1s);
          events.push_back("not reached");
        },
        [&] { events.push_back("cleanup"); });
  });
  const auto end = co_await task.join();
  EXPECT_EQ(events, (Events{"body", "cleanup"}));
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(Finally, "throws the clean-up's error, and reports the one that it replaces") {
  auto reports = test::record_reports();
  const std::string end = co_await end_of(
      finally([]() -> Coro<> { throw std::runtime_error("body"); },
              []() -> Coro<> { throw std::runtime_error("cleanup"); }));
  EXPECT_EQ(end, "cleanup");
  EXPECT_EQ(*reports, (Events{"an error was replaced by one of the clean-up after it: "
                              "std::runtime_error: body"}));
}

ASYNC_TEST(Finally, "reports no cancellation that the clean-up's error replaces") {
  auto reports = test::record_reports();
  auto task = create_task([]() -> Coro<> {
    co_await finally([]() -> Coro<> { co_await sleep(9s); },
                     [] { throw std::runtime_error("cleanup"); });
  });
  co_await sleep(1s);
  task.cancel();
  const std::string end = co_await end_of(task);
  EXPECT_EQ(end, "cleanup");
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(Finally, "that is never awaited runs neither") {
  Events events;
  {
    auto unused = finally([&] { return wait_for_it(events, "body"); },
                          [&] { events.push_back("cleanup"); });
    co_await sleep(1s);
  }
  EXPECT_EQ(events, Events{});
  EXPECT_NE(test::take_stderr().find("finally_scope' was never awaited"), std::string::npos);
}

ASYNC_TEST(Finally, "gives references and results that cannot be copied") {
  int target = 1;
  const auto nothing = [] {};
  int& reference = co_await finally([&]() -> Coro<int&> { co_return target; }, nothing);
  const auto owned = co_await finally(
      []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(2); }, nothing);
  EXPECT_EQ(&reference, &target);
  EXPECT_EQ(*owned, 2);
}

// ---- try_

ASYNC_TEST(Try, "gives what its body gives as an outcome") {
  const auto outcome = co_await try_([]() -> Coro<int> {
    co_await sleep(1s);
    co_return 7;
  });
  EXPECT_EQ(outcome.value(), 7);
}

ASYNC_TEST(Try, "gives the error of its body, so that an await can follow") {
  Events events;
  const auto outcome = co_await try_([]() -> Coro<> {
    co_await sleep(1s);
    throw std::runtime_error("error");
  });
  if (outcome.exception()) co_await wait_for_it(events, "repaired");
  EXPECT_EQ(test::words_of(outcome.exception()), "error");
  EXPECT_EQ(events, (Events{"repaired"}));
}

ASYNC_TEST(Try, "gives a cancellation of the caller, which stays counted") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    const auto outcome = co_await try_([]() -> Coro<> { co_await sleep(9s); });
    events.push_back(outcome.cancelled() ? "cancelled" : "not cancelled");
    events.push_back(std::to_string(current_task()->cancelling()));
    co_await wait_for_it(events, "goes on");
  });
  co_await sleep(1s);
  task.cancel();
  co_await task;
  EXPECT_EQ(events, (Events{"cancelled", "1", "goes on"}));
}

ASYNC_TEST(Try, "calls its body with the arguments it keeps") {
  const auto body = [](std::string& text, int n) -> Coro<std::string> {
    co_await sleep(1s);
    co_return text + std::to_string(n);
  };
  const auto outcome = co_await try_(body, std::string("a"), 1);
  EXPECT_EQ(outcome.value(), "a1");
}

ASYNC_TEST(Try, "gives references and results that cannot be copied") {
  int target = 1;
  const auto reference = co_await try_([&]() -> Coro<int&> { co_return target; });
  auto owned = co_await try_(
      []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(2); });
  EXPECT_EQ(&reference.value(), &target);
  EXPECT_EQ(*std::move(owned).value(), 2);
}

// ---- with

// Notes what happens to it; its name says what fails.
class Resource {
 public:
  Resource(Events& events, std::string name, std::string fails = {})
      : events_(&events), name_(std::move(name)), fails_(std::move(fails)) {}

  Coro<> aenter() {
    co_await sleep(1s);
    if (fails_ == "enter") throw std::runtime_error(name_ + " enter");
    events_->push_back("enter " + name_);
  }
  Coro<> aexit(std::exception_ptr error) {
    co_await sleep(1s);
    events_->push_back("exit " + name_ + " after " + test::words_of(error));
    if (fails_ == "exit") throw std::runtime_error(name_ + " exit");
  }
  const std::string& name() const { return name_; }

 private:
  Events* events_;
  std::string name_;
  std::string fails_;
};

ASYNC_TEST(With, "enters the resource, runs the body and leaves the resource") {
  Events events;
  Resource resource(events, "r");
  const int value = co_await with(resource, [&](Resource& r) -> Coro<int> {
    events.push_back("body of " + r.name());
    co_return 7;
  });
  EXPECT_EQ(value, 7);
  EXPECT_EQ(events, (Events{"enter r", "body of r", "exit r after nothing"}));
}

ASYNC_TEST(With, "borrows a resource that has a name and keeps a temporary one") {
  Events events;
  Resource named(events, "named");
  const Resource* seen = nullptr;
  const auto body = [&](auto& r) -> Coro<> {
    seen = &r;
    co_await sleep(1s);
  };
  co_await with(named, body);
  const bool borrowed = seen == &named;
  co_await with(Resource(events, "temporary"), body);
  EXPECT_TRUE(borrowed);
  EXPECT_EQ(events, (Events{"enter named", "exit named after nothing", "enter temporary",
                            "exit temporary after nothing"}));
}

ASYNC_TEST(With, "shows aexit the body's error, which it cannot swallow") {
  Events events;
  Resource resource(events, "r");
  events.push_back(co_await end_of(with(resource, []() -> Coro<> {
    co_await sleep(1s);
    throw std::runtime_error("error");
  })));
  EXPECT_EQ(events, (Events{"enter r", "exit r after error", "error"}));
}

ASYNC_TEST(With, "leaves the resource when it is cancelled, undisturbed [C11]") {
  Events events;
  Resource resource(events, "r");
  auto task = create_task([&]() -> Coro<> {
    co_await with(resource, []() -> Coro<> { co_await sleep(9s); });
  });
  co_await sleep(2s);
  task.cancel();
  const auto end = co_await task.join();
  EXPECT_EQ(events, (Events{"enter r", "exit r after C"}));
  EXPECT_TRUE(end.cancelled());
}

ASYNC_TEST(With, "throws what aexit throws instead of the body's error, which is reported") {
  auto reports = test::record_reports();
  Events events;
  Resource resource(events, "r", "exit");
  events.push_back(co_await end_of(with(resource, []() -> Coro<> {
    throw std::runtime_error("error");
    co_return;
  })));
  EXPECT_EQ(events, (Events{"enter r", "exit r after error", "r exit"}));
  EXPECT_EQ(*reports, (Events{"an error was replaced by one of the clean-up after it: "
                              "std::runtime_error: error"}));
}

// Leaves by throwing what `make` makes of the body's error.
struct Translator {
  std::exception_ptr (*make)(std::exception_ptr);
  explicit Translator(std::exception_ptr (*how)(std::exception_ptr)) : make(how) {}
  Coro<> aenter() { co_return; }
  Coro<> aexit(std::exception_ptr error) { std::rethrow_exception(make(error)); co_return; }
};

std::exception_ptr itself(std::exception_ptr error) { return error; }
std::exception_ptr nested_twice(std::exception_ptr error) {
  for (const char* words : {"middle", "outer"}) {
    try {
      try {
        std::rethrow_exception(error);
      } catch (...) {
        std::throw_with_nested(std::runtime_error(words));
      }
    } catch (...) {
      error = std::current_exception();
    }
  }
  return error;
}
std::exception_ptr in_a_group(std::exception_ptr error) {
  return std::make_exception_ptr(ExceptionGroup("outer", {nested_twice(error)}));
}

ASYNC_TEST(With, "reports no error that aexit passes on: itself, nested or in a group") {
  auto reports = test::record_reports();
  for (auto make : {&itself, &nested_twice, &in_a_group}) {
    Translator translator(make);
    const std::string end = co_await end_of(with(translator, []() -> Coro<> {
      throw std::runtime_error("error");
      co_return;
    }));
    EXPECT_NE(end, "nothing");
  }
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(With, "does not call aexit when aenter throws") {
  Events events;
  Resource resource(events, "r", "enter");
  events.push_back(co_await end_of(with(resource, [&]() -> Coro<> {
    events.push_back("body");
    co_return;
  })));
  EXPECT_EQ(events, (Events{"r enter"}));
}

ASYNC_TEST(With, "does not call aexit when it is cancelled in aenter") {
  Events events;
  Resource resource(events, "r");
  auto task = create_task([&]() -> Coro<> {
    co_await with(resource, []() -> Coro<> { co_await sleep(9s); });
  });
  co_await sleep(500ms);
  task.cancel();
  co_await task.join();
  EXPECT_EQ(events, Events{});
  EXPECT_TRUE(task.cancelled());
}

struct Connection {
  Coro<std::unique_ptr<int>> aenter() { co_return std::make_unique<int>(7); }
  Coro<> aexit(std::exception_ptr) { co_return; }
};
struct Shared {
  int inside = 7;
  Coro<int&> aenter() { co_return inside; }
  Coro<> aexit(std::exception_ptr) { co_return; }
};

ASYNC_TEST(With, "gives the body what aenter gives") {
  Connection connection;
  const int value = co_await with(
      connection, [](std::unique_ptr<int>& owned) -> Coro<int> { co_return *owned; });
  EXPECT_EQ(value, 7);
}

ASYNC_TEST(With, "gives the body a reference that aenter gives") {
  Shared shared;
  co_await with(shared, [](int& inside) -> Coro<> {
    inside = 8;
    co_return;
  });
  EXPECT_EQ(shared.inside, 8);
}

ASYNC_TEST(With, "calls its body with the arguments it keeps") {
  Events events;
  Resource resource(events, "r");
  const auto body = [](Resource& r, std::string& text) -> Coro<std::string> {
    co_await sleep(1s);
    co_return r.name() + text;
  };
  const std::string text = co_await with(resource, body, std::string("!"));
  EXPECT_EQ(text, "r!");
}

// ---- AsyncExitStack

ASYNC_TEST(AsyncExitStack, "leaves what was entered in reverse order") {
  Events events;
  Resource named(events, "a");
  co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
    co_await stack.enter(named);
    co_await stack.enter(Resource(events, "b"));
    stack.push_async([&] { events.push_back("plain clean-up"); });
    stack.push_async([&]() -> Coro<> {
      co_await sleep(1s);
      events.push_back("clean-up");
    });
    events.push_back("body");
  });
  EXPECT_EQ(events, (Events{"enter a", "enter b", "body", "clean-up", "plain clean-up",
                            "exit b after nothing", "exit a after nothing"}));
}

ASYNC_TEST(AsyncExitStack, "gives what aenter gives") {
  AsyncExitStack stack;
  Shared shared;
  const auto owned = co_await stack.enter(Connection());
  int& inside = co_await stack.enter(shared);
  co_await stack.aclose();
  EXPECT_EQ(*owned, 7);
  EXPECT_EQ(&inside, &shared.inside);
}

ASYNC_TEST(AsyncExitStack, "shows each resource the error so far, and throws the last") {
  auto reports = test::record_reports();
  Events events;
  Resource quiet(events, "quiet");
  Resource breaks(events, "breaks", "exit");
  events.push_back(co_await end_of(with(AsyncExitStack(), [&](auto& stack) -> Coro<> {
    co_await stack.enter(quiet);
    co_await stack.enter(breaks);
    throw std::runtime_error("error");
  })));
  EXPECT_EQ(events, (Events{"enter quiet", "enter breaks", "exit breaks after error",
                            "exit quiet after breaks exit", "breaks exit"}));
  EXPECT_EQ(*reports, (Events{"an error was replaced by one of the clean-up after it: "
                              "std::runtime_error: error"}));
}

ASYNC_TEST(AsyncExitStack, "reports each error that another one replaces, once") {
  auto reports = test::record_reports();
  AsyncExitStack stack;
  for (const char* words : {"third", "second", "first"}) {
    stack.push_async([words] { throw std::runtime_error(words); });
  }
  const std::string end = co_await end_of(stack.aclose());
  const std::string replaced = "an error was replaced by one of the clean-up after it: "
                               "std::runtime_error: ";
  EXPECT_EQ(end, "third");
  EXPECT_EQ(*reports, (Events{replaced + "first", replaced + "second"}));
}

ASYNC_TEST(AsyncExitStack, "does not leave what could not be entered") {
  Events events;
  Resource good(events, "good");
  Resource bad(events, "bad", "enter");
  events.push_back(co_await end_of(with(AsyncExitStack(), [&](auto& stack) -> Coro<> {
    co_await stack.enter(good);
    co_await stack.enter(bad);
  })));
  EXPECT_EQ(events, (Events{"enter good", "exit good after bad enter", "bad enter"}));
}

ASYNC_TEST(AsyncExitStack, "unwinds once by hand, and can be used again") {
  Events events;
  AsyncExitStack stack;
  stack.push_async([&] { events.push_back("first"); });
  co_await stack.aclose();
  co_await stack.aclose();
  stack.push_async([&] { events.push_back("second"); });
  co_await stack.aclose();
  EXPECT_EQ(events, (Events{"first", "second"}));
}

ASYNC_TEST(AsyncExitStack, "drops what was never unwound, and hands it on when it is moved") {
  Events events;
  {
    AsyncExitStack dropped;
    dropped.push_async([&] { events.push_back("not called"); });
  }
  AsyncExitStack from;
  from.push_async([&] { events.push_back("moved"); });
  AsyncExitStack to(std::move(from));
  co_await to.aclose();
  EXPECT_EQ(events, (Events{"moved"}));
}

}  // namespace
}  // namespace asyncio
