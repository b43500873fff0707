// task_group: no child outlives it, every error is in its group, and nested groups stay apart.
// SPDX-License-Identifier: MIT
#include <asyncio/task_group.hpp>

#include "combine/group_children.hpp"
#include "combine/words.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/timeout.hpp>

#include <memory>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using test::end_of;
using test::Events;
using test::cancelling;
using test::fail;
using test::note;
using test::seconds;
using test::work;

// ---- waiting for the children

ASYNC_TEST(TaskGroup, "waits for all its children [R45]") {
  Events events;
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(note(events, "slow", 2s));
    group.create_task(note(events, "fast", 1s));
    events.push_back("body");
    co_return;
  });
  events.push_back("after");
  EXPECT_EQ(events, (Events{"body", "fast", "slow", "after"}));
}

ASYNC_TEST(TaskGroup, "waits for children that children add meanwhile [R45]") {
  Events events;
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    const auto parent = [&]() -> Coro<> {
      co_await sleep(1s);
      group.create_task(note(events, "grandchild", 1s));
      events.push_back("child");
    };
    group.create_task(parent, {});
    co_return;
  });
  events.push_back("after");
  EXPECT_EQ(events, (Events{"child", "grandchild", "after"}));
}

ASYNC_TEST(TaskGroup, "gives the value of its body, and its children's through their tasks") {
  Task<int> child;
  const int value = co_await task_group([&](TaskGroup& group) -> Coro<int> {
    child = group.create_task(sleep(2s, 7));
    co_return 42;
  });
  EXPECT_EQ(value, 42);
  EXPECT_EQ(child.result(), 7);
}

ASYNC_TEST(TaskGroup, "without children ends with its body") {
  const double begin = seconds();
  co_await task_group([](TaskGroup&) -> Coro<> { co_return; });
  EXPECT_EQ(seconds(), begin);
}

ASYNC_TEST(TaskGroup, "takes any awaitable, callables with their arguments, and options") {
  std::string name;
  const int value = co_await task_group([&](TaskGroup& group) -> Coro<int> {
    const auto add = [](int a, int b) -> Coro<int> { co_return a + b; };
    auto named = group.create_task(add, {.name = "adder"}, 3, 4);
    group.create_task(sleep(1s));
    name = named.get_name();
    co_return co_await named;
  });
  EXPECT_EQ(name, "adder");
  EXPECT_EQ(value, 7);
}

ASYNC_TEST(TaskGroup, "passes arguments to its body, with options and without") {
  const auto body = [](TaskGroup&, int& a, const std::string& b) -> Coro<std::string> {
    co_await sleep(1s);
    co_return b + std::to_string(a);
  };
  const std::string plain = co_await task_group(body, 1, std::string("a"));
  const std::string limited = co_await task_group(body, {.limit = 1}, 2, std::string("b"));
  EXPECT_EQ(plain, "a1");
  EXPECT_EQ(limited, "b2");
}

// ---- errors

ASYNC_TEST(TaskGroup, "cancels siblings and body once on an error, and groups it [R46]") {
  Events events;
  try {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      const auto sibling = [&]() -> Coro<> {
        try {
          co_await sleep(9s);
        } catch (const CancelledError&) {
          events.push_back("sib C");
          throw;
        }
      };
      group.create_task(sibling());
      group.create_task(fail("ValueError"));
      try {
        co_await sleep(9s);
      } catch (const CancelledError&) {
        events.push_back("body C");
        events.push_back(cancelling());
        throw;
      }
    });
  } catch (const ExceptionGroup&) {
    events.push_back(test::words_of(std::current_exception()));
  }
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"sib C", "body C", "1", "[ValueError]", "0"}));
}

ASYNC_TEST(TaskGroup, "waits for the clean-up of the siblings of an error [R46] [R9] [C6]") {
  Events events;
  const double begin = seconds();
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(work(events, "sibling"));
    group.create_task(fail("error"));
    co_return;
  })));
  EXPECT_EQ(events, (Events{"sibling C", "[error]"}));
  EXPECT_EQ(seconds() - begin, 2.0);
  EXPECT_EQ(all_tasks().size(), 1u);
}

ASYNC_TEST(TaskGroup, "groups the errors of children and body, each once [R46] [C18]") {
  auto reports = test::record_reports();
  const std::string end = co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(fail("a"));
    group.create_task(fail("b"));
    group.create_task(fail("c"));
    const std::string unused = co_await end_of(sleep(9s));
    throw std::runtime_error("body");
  }));
  EXPECT_EQ(end, "[a, b, c, body]");
  EXPECT_EQ(*reports, Events{});
}

ASYNC_TEST(TaskGroup, "groups the error of a sibling's clean-up too [R46] [C18]") {
  const auto fails_late = []() -> Coro<> {
    try {
      co_await sleep(9s);
    } catch (const CancelledError&) {
    }
    co_await sleep(1s);
    throw std::runtime_error("late");
  };
  const std::string end = co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(fails_late());
    group.create_task(fail("early"));
    co_return;
  }));
  EXPECT_EQ(end, "[early, late]");
}

ASYNC_TEST(TaskGroup, "whose body fails cancels the children and groups its error [R46]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(work(events, "child"));
    co_await sleep(1s);
    throw std::runtime_error("body");
  })));
  EXPECT_EQ(events, (Events{"child C", "[body]"}));
  EXPECT_EQ(cancelling(), "0");
}

ASYNC_TEST(TaskGroup, "whose body fails never runs children that had not started [R52]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    const auto child = [&]() -> Coro<> {
      events.push_back("child");
      co_return;
    };
    group.create_task(child());
    throw std::runtime_error("body");
    co_return;
  })));
  EXPECT_EQ(events, (Events{"[body]"}));
}

ASYNC_TEST(TaskGroup, "groups an error of a body that is no coroutine yet when it fails") {
  const std::string end = co_await end_of(task_group(
      [](TaskGroup&) -> Coro<> { throw std::runtime_error("before the first await"); }));
  EXPECT_EQ(end, "[before the first await]");
}

ASYNC_TEST(TaskGroup, "takes a child that is cancelled on its own for no error [R47]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    auto victim = group.create_task(sleep(9s));
    group.create_task(note(events, "sibling", 2s));
    co_await sleep(1s);
    victim.cancel();
  })));
  EXPECT_EQ(events, (Events{"sibling", "done"}));
}

ASYNC_TEST(TaskGroup, "does not count an error twice that the body saw at a child [C18]") {
  const std::string end = co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    auto child = group.create_task(fail("child"));
    co_await child.join();
    co_await sleep(9s);
  }));
  EXPECT_EQ(end, "[child]");
}

// ---- cancelled from outside

ASYNC_TEST(TaskGroup, "cancelled from outside cancels the children and is cancelled [R48]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(work(events, "child"));
      co_return;
    });
  });
  co_await sleep(1s);
  task.cancel();
  const auto end = co_await task.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"child C", "C"}));
}

ASYNC_TEST(TaskGroup, "cancelled in its body cancels the children and is cancelled [R48]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(work(events, "child"));
      co_await work(events, "body");
    });
  });
  co_await sleep(1s);
  task.cancel();
  const auto end = co_await task.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"body C", "child C", "C"}));
}

ASYNC_TEST(TaskGroup, "with an error and a cancellation throws the group, then cancels [R48]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(fail("error", 1s));
      co_return;
    })));
    events.push_back(cancelling());
    events.push_back(co_await end_of(sleep(1s)));
  });
  get_running_loop().call_later(1s, [=] { task.cancel(); });
  co_await task;
  EXPECT_EQ(events, (Events{"[error]", "1", "C"}));
}

ASYNC_TEST(TaskGroup, "throws its body's error though it is cancelled while it ends [R48]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(work(events, "child"));
      co_await sleep(1s);
      throw std::runtime_error("body");
    })));
    events.push_back(co_await end_of(sleep(1s)));
  });
  co_await sleep(1500ms);  // the child cleans up
  task.cancel();
  co_await task;
  EXPECT_EQ(events, (Events{"child C", "[body]", "C"}));
}

ASYNC_TEST(TaskGroup, "cancelled keeps the message [R24]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(sleep(9s));
      co_return;
    });
  });
  co_await sleep(1s);
  task.cancel("go home");
  try {
    co_await task;
  } catch (const CancelledError& error) {
    events.emplace_back(error.message());
  }
  EXPECT_EQ(events, (Events{"go home"}));
}

ASYNC_TEST(TaskGroup, "lets a body go on that swallows the group's cancel [R49]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(fail("error"));
    events.push_back(co_await end_of(sleep(9s)));
    co_await sleep(5s);
    events.push_back("body goes on");
  })));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"C", "body goes on", "[error]", "0"}));
}

ASYNC_TEST(TaskGroup, "in a task with a counted cancellation adds none of its own [R22] [R46]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await end_of(sleep(9s));  // swallows the cancellation
    events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(fail("error"));
      co_return;
    })));
    events.push_back(cancelling());
    events.push_back(co_await end_of(sleep(1s)));
  });
  co_await sleep(1s);
  task.cancel();
  co_await task;
  EXPECT_EQ(events, (Events{"[error]", "1", "done"}));
}

// ---- nested

ASYNC_TEST(TaskGroup, "nests the group of an inner error in its own [R50]") {
  const std::string end = co_await end_of(task_group([](TaskGroup& outer) -> Coro<> {
    const auto inner_body = [](TaskGroup& inner) -> Coro<> {
      inner.create_task(fail("inner"));
      co_return;
    };
    outer.create_task(task_group(inner_body));
    co_return;
  }));
  EXPECT_EQ(end, "[[inner]]");
}

ASYNC_TEST(TaskGroup, "cancels the inner group from outside for an outer error [R50]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& outer) -> Coro<> {
    outer.create_task(fail("outer"));
    try {
      co_await task_group([&](TaskGroup& inner) -> Coro<> {
        inner.create_task(work(events, "inner child"));
        co_return;
      });
    } catch (const CancelledError&) {
      events.push_back("inner C");
      throw;
    }
  })));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"inner child C", "inner C", "[outer]", "0"}));
}

ASYNC_TEST(TaskGroup, "keeps both errors when inner and outer fail in one turn [R50] [C4]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& outer) -> Coro<> {
    const auto inner_body = [&](TaskGroup& inner) -> Coro<> {
      inner.create_task(fail("inner", 0s));
      outer.create_task(fail("outer", 0s));
      co_return;
    };
    events.push_back(co_await end_of(task_group(inner_body)));
    events.push_back(cancelling());
  })));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"[inner]", "1", "[outer]", "0"}));
}

ASYNC_TEST(TaskGroup, "keeps both errors when the outer one comes first in the turn [R50] [C4]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& outer) -> Coro<> {
    const auto inner_body = [&](TaskGroup& inner) -> Coro<> {
      outer.create_task(fail("outer", 0s));
      inner.create_task(fail("inner", 0s));
      co_return;
    };
    events.push_back(co_await end_of(task_group(inner_body)));
    events.push_back(cancelling());
  })));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"[inner]", "1", "[outer]", "0"}));
}

ASYNC_TEST(TaskGroup, "three deep keeps the errors of one turn apart [C4] [C18]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& first) -> Coro<> {
    const auto third_body = [&](TaskGroup& third) -> Coro<> {
      third.create_task(fail("third", 0s));
      co_return;
    };
    const auto second_body = [&](TaskGroup& second) -> Coro<> {
      second.create_task(fail("second", 0s));
      first.create_task(fail("first", 0s));
      events.push_back(co_await end_of(task_group(third_body)));
    };
    events.push_back(co_await end_of(task_group(second_body)));
  })));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"[third]", "[second]", "[first]", "0"}));
}

ASYNC_TEST(TaskGroup, "inside a timeout that ends in the turn of an error throws both [C4]") {
  Events events;
  const auto limited = [&]() -> Coro<> {
    events.push_back(co_await end_of(task_group([](TaskGroup& group) -> Coro<> {
      group.create_task(fail("error", 1s));
      co_return;
    })));
    co_await sleep(1s);
  };
  events.push_back(co_await end_of(timeout(1s, limited)));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"[error]", "T", "0"}));
}

ASYNC_TEST(TaskGroup, "cut by a timeout around it joins its children first [C4] [R48]") {
  Events events;
  const auto limited = [&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(work(events, "child"));
      co_return;
    });
  };
  events.push_back(co_await end_of(timeout(1s, limited)));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"child C", "T", "0"}));
}

ASYNC_TEST(TaskGroup, "lets a timeout of its body end the group with that error [R46]") {
  const std::string end = co_await end_of(task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(sleep(9s));
    co_await timeout(1s, []() -> Coro<> { co_await sleep(9s); });
  }));
  EXPECT_EQ(end, "[T]");
}

}  // namespace
}  // namespace asyncio
