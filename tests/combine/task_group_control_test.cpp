// task_group: refusing and limiting children, cancelling them, exits, and start().
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
    group.create_task(cancels);  // kept by the task: the body ends before it runs
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
