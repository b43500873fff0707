// task_group: no child outlives it, every error is in its group, and its own cancel never leaks.
// SPDX-License-Identifier: MIT
#include <asyncio/task_group.hpp>

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

Coro<> fail(std::string what, nanoseconds after = 1s) {
  co_await sleep(after);
  throw std::runtime_error(what);
}
Coro<> note(Events& events, std::string name, nanoseconds after = 0s) {
  co_await sleep(after);
  events.push_back(name);
}
// Notes how it ends; cancelled, it takes a second for that.
Coro<> work(Events& events, std::string name, nanoseconds time = 9s) {
  bool cancelled = false;
  try {
    co_await sleep(time);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) {
    co_await sleep(1s);
    events.push_back(name + " C");
    throw CancelledError();
  }
  events.push_back(name);
}
std::string cancelling() { return std::to_string(current_task()->cancelling()); }
double seconds() { return get_running_loop().time(); }

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

// ---- when create_task refuses

struct Witness {
  explicit Witness(Events& to) : events(&to) {}
  Witness(Witness&& other) noexcept : events(std::exchange(other.events, nullptr)) {}
  Witness& operator=(Witness&&) = delete;
  ~Witness() {
    if (events) events->push_back("destroyed");
  }
  Events* events;
};
Coro<> hold(Witness witness) {
  co_await sleep(1s);
  witness.events->push_back("ran");
}

ASYNC_TEST(TaskGroup, "takes no child while it aborts, and destroys the coroutine [R51]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(fail("error"));
    co_await end_of(sleep(9s));
    try {
      group.create_task(hold(Witness(events)));
    } catch (const RuntimeError&) {
      events.push_back("refused");
    }
  })));
  EXPECT_EQ(events, (Events{"destroyed", "refused", "[error]"}));
}

ASYNC_TEST(TaskGroup, "takes no child once its last one has ended [R51]") {
  Events events;
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    auto last = group.create_task(sleep(1s));
    last.add_done_callback([&](const Task<>&) {  // after the group has heard of it
      try {
        group.create_task(hold(Witness(events)));
      } catch (const RuntimeError&) {
        events.push_back("refused");
      }
    });
    co_return;
  });
  EXPECT_EQ(events, (Events{"destroyed", "refused"}));
}

// ---- eager children

ASYNC_TEST(TaskGroup, "is not cancelled inside create_task by an eager child that fails [R53]") {
  Events events;
  const auto fails_at_once = []() -> Coro<> {
    throw std::runtime_error("eager");
    co_return;
  };
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(fails_at_once(), {.eager_start = true});
    events.push_back(cancelling());
    events.push_back(co_await end_of(sleep(9s)));
  })));
  EXPECT_EQ(events, (Events{"0", "C", "[eager]"}));
}

ASYNC_TEST(TaskGroup, "can be cancelled by an eager child [R53] [R54]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    const auto cancels = [&]() -> Coro<> {
      group.cancel();
      events.push_back("child goes on");
      co_await sleep(9s);
    };
    group.create_task(cancels(), {.eager_start = true});
    events.push_back("body goes on");
    events.push_back(co_await end_of(sleep(9s)));
  })));
  EXPECT_EQ(events, (Events{"child goes on", "body goes on", "C", "done"}));
}

// ---- cancel

ASYNC_TEST(TaskGroup, "can be cancelled, again and again, and ends without error [R54]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(work(events, "child"));
    co_await sleep(1s);
    group.cancel();
    group.cancel();
    co_await sleep(9s);
    events.push_back("not reached");
  })));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"child C", "done", "0"}));
}

ASYNC_TEST(TaskGroup, "cancelled before a child has started never runs it [R54] [R52]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(note(events, "child"));
    group.cancel();
    co_return;
  })));
  EXPECT_EQ(events, (Events{"done"}));
}

ASYNC_TEST(TaskGroup, "cancelled by a child while it waits for them ends without error [R54]") {
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    const auto cancels = [&]() -> Coro<> {
      co_await sleep(1s);
      group.cancel();
    };
    group.create_task(cancels());
    group.create_task(work(events, "sibling"));
    co_return;
  })));
  events.push_back(cancelling());
  EXPECT_EQ(events, (Events{"sibling C", "done", "0"}));
}

ASYNC_TEST(TaskGroup, "cancelled by itself in a cancelled task ends without error [R54] [R22]") {
  Events events;
  auto task = create_task([&]() -> Coro<> {
    co_await end_of(sleep(9s));  // swallows the cancellation
    events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
      group.cancel();
      co_await sleep(1s);
    })));
    events.push_back(cancelling());
  });
  co_await sleep(1s);
  task.cancel();
  co_await task;
  EXPECT_EQ(events, (Events{"done", "1"}));
}

ASYNC_TEST(TaskGroup, "cancelled by itself and from outside is cancelled [R54] [R48]") {
  auto task = create_task([]() -> Coro<> {
    co_await task_group([](TaskGroup& group) -> Coro<> {
      co_await sleep(1s);
      group.cancel();
      current_task()->cancel();
      co_await sleep(9s);
    });
  });
  const auto end = co_await task.join();
  EXPECT_EQ(test::words_of(end.exception()), "C");
}

ASYNC_TEST(TaskGroup, "cancelled before its body had the value it owes throws [R54]") {
  bool thrown = false;
  try {
    co_await task_group([](TaskGroup& group) -> Coro<int> {
      group.cancel();
      co_await sleep(1s);
      co_return 1;
    });
  } catch (const InvalidStateError&) {
    thrown = true;
  }
  EXPECT_TRUE(thrown);
}

ASYNC_TEST(TaskGroup, "cancelled after a child's error still throws it [R54]") {
  const std::string end = co_await end_of(task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(fail("error"));
    co_await end_of(sleep(9s));
    group.cancel();
  }));
  EXPECT_EQ(end, "[error]");
}

// ---- exits

SYNC_TEST(TaskGroup, "lets SystemExit of a child leave run ungrouped [R55] [R77]") {
  const auto exits = []() -> Coro<> {
    co_await sleep(1s);
    throw SystemExit{3};
  };
  const auto main = [&]() -> Coro<> {
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      group.create_task(exits());
      co_await sleep(9s);
    });
  };
  int code = 0;
  try {
    testing::run(main());
  } catch (const SystemExit& exit) {
    code = exit.code;
  }
  EXPECT_EQ(code, 3);
}

ASYNC_TEST(TaskGroup, "lets KeyboardInterrupt of its body leave ungrouped [R55]") {
  auto reports = test::record_reports();
  Events events;
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(fail("sibling"));
    co_await end_of(sleep(9s));
    throw KeyboardInterrupt();
  })));
  EXPECT_EQ(events, (Events{"KeyboardInterrupt"}));
  EXPECT_EQ(*reports, (Events{"error of a task group that ended by an exit: std::runtime_error: "
                              "sibling"}));
  EXPECT_EQ(cancelling(), "0");
}

// ---- limit

ASYNC_TEST(TaskGroup, "with a limit starts one child as another ends") {
  const double begin = seconds();
  Events events;
  const auto timed = [&](int time) -> Coro<> {
    events.push_back("start " + std::to_string(static_cast<int>(seconds() - begin)));
    co_await sleep(std::chrono::seconds(time));
  };
  const auto body = [&](TaskGroup& group) -> Coro<> {
    group.create_task(timed(4));
    group.create_task(timed(1));
    group.create_task(timed(1));
    group.create_task(timed(1));
    co_return;
  };
  co_await task_group(body, {.limit = 2});
  EXPECT_EQ(events, (Events{"start 0", "start 0", "start 1", "start 2"}));
  EXPECT_EQ(seconds() - begin, 4.0);
}

ASYNC_TEST(TaskGroup, "never starts a child above the limit once a child has failed [R52]") {
  Events events;
  const auto body = [&](TaskGroup& group) -> Coro<> {
    group.create_task(fail("error"));
    group.create_task(note(events, "above the limit"));
    co_return;
  };
  events.push_back(co_await end_of(task_group(body, {.limit = 1})));
  EXPECT_EQ(events, (Events{"[error]"}));
}

ASYNC_TEST(TaskGroup, "lets a child above the limit be cancelled before it starts [R15]") {
  Events events;
  const auto body = [&](TaskGroup& group) -> Coro<> {
    group.create_task(note(events, "first", 2s));
    auto second = group.create_task(note(events, "second"));
    group.create_task(note(events, "third"));
    co_await sleep(1s);
    second.cancel();
    co_await second.join();
    events.push_back("second cancelled");
  };
  co_await task_group(body, {.limit = 1});
  EXPECT_EQ(events, (Events{"second cancelled", "first", "third"}));
}

// ---- start

Coro<> serve(Started& started, Events& events, nanoseconds setup) {
  co_await sleep(setup);
  events.push_back("ready");
  started();
  co_await sleep(2s);
  events.push_back("served");
}

ASYNC_TEST(TaskGroup, "start returns when the child says that it has started") {
  Events events;
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    co_await group.start(serve, std::ref(events), 1s);
    events.push_back("body goes on");
  });
  EXPECT_EQ(events, (Events{"ready", "body goes on", "served"}));
}

ASYNC_TEST(TaskGroup, "start throws the error of a child that fails before it has started") {
  Events events;
  const auto breaks = [](Started&) -> Coro<> {
    co_await sleep(1s);
    throw std::runtime_error("no port");
  };
  events.push_back(co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(note(events, "sibling", 5s));
    events.push_back(co_await end_of(group.start(breaks)));
    events.push_back(cancelling());
  })));
  EXPECT_EQ(events, (Events{"no port", "0", "sibling", "done"}));
}

ASYNC_TEST(TaskGroup, "groups an error that start has thrown once [C18]") {
  const auto breaks = [](Started&) -> Coro<> {
    throw std::runtime_error("no port");
    co_return;
  };
  const std::string end = co_await end_of(
      task_group([&](TaskGroup& group) -> Coro<> { co_await group.start(breaks); }));
  EXPECT_EQ(end, "[no port]");
}

ASYNC_TEST(TaskGroup, "start throws when the child ends without a word") {
  const auto silent = [](Started&) -> Coro<> { co_await sleep(1s); };
  bool thrown = false;
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    try {
      co_await group.start(silent);
    } catch (const RuntimeError&) {
      thrown = true;
    }
  });
  EXPECT_TRUE(thrown);
}

ASYNC_TEST(TaskGroup, "groups the error of a child that fails after it has started [R46]") {
  const auto breaks_later = [](Started& started) -> Coro<> {
    started();
    started();  // twice is harmless
    co_await sleep(1s);
    throw std::runtime_error("later");
  };
  const std::string end = co_await end_of(task_group([&](TaskGroup& group) -> Coro<> {
    co_await group.start(breaks_later);
    co_await sleep(9s);
  }));
  EXPECT_EQ(end, "[later]");
}

ASYNC_TEST(TaskGroup, "cancelled during start joins the child [R48]") {
  Events events;
  const auto never = [&](Started&) -> Coro<> { co_await work(events, "child"); };
  auto task = create_task(task_group([&](TaskGroup& group) -> Coro<> {
    co_await group.start(never);
  }));
  co_await sleep(1s);
  task.cancel();
  const auto end = co_await task.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"child C", "C"}));
}

}  // namespace
}  // namespace asyncio
