// AsyncGenerator: values one by one, and a body whose clean-up is never forgotten.
// SPDX-License-Identifier: MIT
#include <asyncio/generator.hpp>

#include "combine/words.hpp"

#include <asyncio/context.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <memory>
#include <stdexcept>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::end_of;
using test::Events;

struct Note {
  Note(Events& to, std::string text) : events(to), word(std::move(text)) {}
  Note(const Note&) = delete;
  Note& operator=(const Note&) = delete;
  ~Note() { events.push_back(word); }
  Events& events;
  std::string word;
};

AsyncGenerator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) {
    co_await sleep(1s);
    co_yield i;
  }
}
// Counts for ever; says when it begins and when its scope ends.
AsyncGenerator<int> count(Events& events) {
  events.push_back("begins");
  const Note closed(events, "closed");
  for (int i = 1;; ++i) {
    co_await sleep(1s);
    co_yield i;
  }
}
// Needs an await to clean up.
AsyncGenerator<int> count_and_clean_up(Events& events) {
  bool left = false;
  for (int i = 1; !left; ++i) {
    try {
      co_yield i;
    } catch (const GeneratorExit&) {
      left = true;
    }
  }
  co_await sleep(1s);
  events.push_back("cleaned up");
}
Coro<std::vector<int>> take(AsyncGenerator<int>& numbers, int n) {
  std::vector<int> taken;
  while (n-- > 0) {
    const auto item = co_await numbers.next();
    taken.push_back(item.value_or(-1));
  }
  co_return taken;
}
Coro<std::string> next_of(AsyncGenerator<int>& numbers) {
  const auto item = co_await numbers.next();
  co_return item ? std::to_string(*item) : "end";
}

// ---- values

ASYNC_TEST(Generator, "gives its values in order, then nothing for ever") {
  auto numbers = count_to(2);
  const auto taken = co_await take(numbers, 4);
  EXPECT_EQ(taken, (std::vector<int>{1, 2, -1, -1}));
}

ASYNC_TEST(Generator, "ends a while loop") {
  int sum = 0;
  auto numbers = count_to(4);
  while (auto n = co_await numbers.next()) sum += *n;
  EXPECT_EQ(sum, 10);
}

ASYNC_TEST(Generator, "runs nothing before it is asked, and no more than it is asked for") {
  Events events;
  auto numbers = count(events);
  co_await sleep(1s);
  const Events before = events;
  const auto begin = get_running_loop().now();
  co_await numbers.next();
  co_await sleep(5s);
  co_await numbers.next();
  EXPECT_EQ(before, Events{});
  EXPECT_EQ(get_running_loop().now() - begin, 7s);
}

AsyncGenerator<std::unique_ptr<int>> give_owned() {
  co_yield std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  co_yield std::move(second);
}

ASYNC_TEST(Generator, "moves out values that cannot be copied") {
  auto owned = give_owned();
  const auto first = co_await owned.next();
  const auto second = co_await owned.next();
  EXPECT_EQ(**first, 1);
  EXPECT_EQ(**second, 2);
}

AsyncGenerator<int&> refer(std::vector<int>& items) {
  for (int& item : items) co_yield item;
}

ASYNC_TEST(Generator, "of references gives pointers, and null at the end") {
  std::vector<int> items{1, 2};
  auto references = refer(items);
  while (int* item = co_await references.next()) *item *= 10;
  EXPECT_EQ(items, (std::vector<int>{10, 20}));
}

AsyncGenerator<std::string> convert() {
  co_yield "literal";
  const std::string_view view = "a text too long for the small string buffer";
  co_yield std::string(view);
}

ASYNC_TEST(Generator, "converts what is yielded to its type") {
  auto texts = convert();
  const auto first = co_await texts.next();
  const auto second = co_await texts.next();
  EXPECT_EQ(first, "literal");
  EXPECT_EQ(second, "a text too long for the small string buffer");
}

AsyncGenerator<int> doubled(AsyncGenerator<int> numbers) {
  while (auto n = co_await numbers.next()) co_yield 2 * *n;
}

ASYNC_TEST(Generator, "can be fed by another") {
  auto numbers = doubled(count_to(3));
  const auto taken = co_await take(numbers, 4);
  EXPECT_EQ(taken, (std::vector<int>{2, 4, 6, -1}));
}

ASYNC_TEST(Generator, "can be moved at a co_yield, and is then empty where it was") {
  Events events;
  auto from = count(events);
  co_await from.next();
  auto to = std::move(from);
  const std::string moved = co_await next_of(to);
  const std::string left = co_await next_of(from);
  EXPECT_EQ(moved, "2");
  EXPECT_EQ(left, "end");
}

// ---- errors and cancellations

AsyncGenerator<int> fail_after_one() {
  co_yield 1;
  throw std::runtime_error("error");
}

ASYNC_TEST(Generator, "throws the error of its body, and is empty for ever after it [R78]") {
  Events events;
  auto numbers = fail_after_one();
  events.push_back(co_await end_of(next_of(numbers)));
  events.push_back(co_await end_of(next_of(numbers)));
  events.push_back(co_await end_of(next_of(numbers)));
  EXPECT_EQ(events, (Events{"1", "error", "end"}));
}

ASYNC_TEST(Generator, "is ended by a cancellation inside next, which passes its body [R78]") {
  Events events;
  auto numbers = count(events);
  auto task = create_task(next_of(numbers));
  co_await sleep(500ms);
  task.cancel();
  const auto end = co_await task.join();
  events.push_back(test::words_of(end.exception()));
  events.push_back(co_await next_of(numbers));
  EXPECT_EQ(events, (Events{"begins", "closed", "C", "end"}));
}

ASYNC_TEST(Generator, "refuses a second next while one is pending") {
  auto numbers = count_to(1);
  auto first = create_task(next_of(numbers));
  co_await sleep(0s);
  bool refused = false;
  try {
    co_await numbers.next();
  } catch (const RuntimeError&) {
    refused = true;
  }
  const std::string value = co_await first;
  EXPECT_TRUE(refused);
  EXPECT_EQ(value, "1");
}

ASYNC_TEST(Generator, "refuses aclose while a next is pending") {
  auto numbers = count_to(1);
  auto first = create_task(next_of(numbers));
  co_await sleep(0s);
  bool refused = false;
  try {
    co_await numbers.aclose();
  } catch (const RuntimeError&) {
    refused = true;
  }
  co_await first;
  EXPECT_TRUE(refused);
}

// ---- being left

ASYNC_TEST(Generator, "dropped at a co_yield is closed with its scope [R78] [C21]") {
  Events events;
  {
    auto numbers = count(events);
    co_await take(numbers, 2);
    events.push_back("dropped");
  }
  EXPECT_EQ(events, (Events{"begins", "dropped", "closed"}));
}

ASYNC_TEST(Generator, "dropped before it was asked never begins [C21]") {
  Events events;
  {
    auto numbers = count(events);
    co_await sleep(1s);
  }
  EXPECT_EQ(events, Events{});
}

ASYNC_TEST(Generator, "dropped after its end has nothing left to close [C21]") {
  Events events;
  {
    auto numbers = count_to(1);
    co_await take(numbers, 2);
  }
  EXPECT_EQ(events, Events{});
}

ASYNC_TEST(Generator, "dropped by an error of its reader is closed [R78] [C21]") {
  Events events;
  const auto read = [&]() -> Coro<> {
    auto numbers = count(events);
    co_await numbers.next();
    throw std::runtime_error("reader");
  };
  events.push_back(co_await end_of(read()));
  EXPECT_EQ(events, (Events{"begins", "closed", "reader"}));
}

SYNC_TEST(Generator, "left at a co_yield is closed before the loop is [C21] [R78]") {
  Events events;
  const auto main = [&]() -> Coro<> {
    create_task([&]() -> Coro<> {
      auto numbers = count(events);
      co_await numbers.next();
      co_await sleep(9s);
    }).detach();
    co_await sleep(2s);
    events.push_back("main ends");
  };
  testing::run(main());
  EXPECT_EQ(events, (Events{"begins", "main ends", "closed"}));
}

SYNC_TEST(Generator, "left inside next is ended before the loop is closed [C21] [R78]") {
  Events events;
  const auto main = [&]() -> Coro<> {
    create_task([&]() -> Coro<> {
      auto numbers = count(events);
      while (co_await numbers.next()) {
      }
    }).detach();
    co_await sleep(1500ms);
    events.push_back("main ends");
  };
  testing::run(main());
  EXPECT_EQ(events, (Events{"begins", "main ends", "closed"}));
}

// ---- being left inside next

const std::string gone = "AsyncGenerator::next: the generator was destroyed while this was pending";

// A generator that can go while others have it.
using Held = std::unique_ptr<AsyncGenerator<int>>;

Held hold(AsyncGenerator<int> numbers) {
  return std::make_unique<AsyncGenerator<int>>(std::move(numbers));
}

// Drops it while its next() is pending; how the next() ends.
Coro<std::string> end_of_next_of_dropped(Held numbers, Events& events) {
  auto task = create_task(next_of(*numbers));
  co_await sleep(500ms);
  numbers = nullptr;
  events.push_back("dropped");
  const auto end = co_await task.join();
  co_return test::words_of(end.exception());
}

ASYNC_TEST(Generator, "dropped inside next is closed at its next co_yield [R78] [C21]") {
  Events events;
  events.push_back(co_await end_of_next_of_dropped(hold(count(events)), events));
  EXPECT_EQ(events, (Events{"begins", "dropped", "closed", gone}));
}

ASYNC_TEST(Generator, "dropped inside next may end without a co_yield [R78] [C21]") {
  Events events;
  const auto end_late = [](Events& log) -> AsyncGenerator<int> {
    const Note closed(log, "closed");
    co_await sleep(1s);
    if (log.empty()) co_yield 1;
  };
  events.push_back(co_await end_of_next_of_dropped(hold(end_late(events)), events));
  EXPECT_EQ(events, (Events{"dropped", "closed", gone}));
}

ASYNC_TEST(Generator, "dropped inside next throws what its body throws [R78] [C21]") {
  Events events;
  const auto fail_late = [](Events& log) -> AsyncGenerator<int> {
    const Note closed(log, "closed");
    co_await sleep(1s);
    if (!log.empty()) throw std::runtime_error("error");
    co_yield 1;
  };
  events.push_back(co_await end_of_next_of_dropped(hold(fail_late(events)), events));
  EXPECT_EQ(events, (Events{"dropped", "closed", "error"}));
}

ASYNC_TEST(Generator, "assigned over inside next is closed like a dropped one [R78]") {
  Events events;
  auto numbers = count(events);
  auto task = create_task(next_of(numbers));
  co_await sleep(500ms);
  numbers = count_to(7);
  const auto end = co_await task.join();
  events.push_back(test::words_of(end.exception()));
  events.push_back(co_await next_of(numbers));
  EXPECT_EQ(events, (Events{"begins", "closed", gone, "1"}));
}

ASYNC_TEST(Generator, "goes before the task that reads it and is cancelled [R78] [C21]") {
  struct Source {
    explicit Source(Events& events)
        : numbers(count(events)), reader(create_task(next_of(numbers))) {}
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    ~Source() { reader.cancel(); }
    AsyncGenerator<int> numbers;
    Task<std::string> reader;
  };
  Events events;
  auto source = std::make_unique<Source>(events);
  co_await sleep(500ms);
  source = nullptr;
  events.push_back("source ends");
  co_await sleep(1s);
  EXPECT_EQ(events, (Events{"begins", "source ends", "closed"}));
}

AsyncGenerator<int> drop_itself(Held& self, Events& events) {
  const Note closed(events, "closed");
  co_yield 1;
  self = nullptr;
  co_await sleep(1s);
  events.push_back("goes on");
  co_yield 2;
  events.push_back("not here");
}

ASYNC_TEST(Generator, "can be dropped by its own body, which runs to its next co_yield [R78]") {
  Events events;
  Held numbers;
  numbers = hold(drop_itself(numbers, events));
  events.push_back(co_await next_of(*numbers));
  events.push_back(co_await end_of(next_of(*numbers)));
  EXPECT_EQ(events, (Events{"1", "goes on", "closed", gone}));
}

ASYNC_TEST(Generator, "dropped inside aclose is cleaned up by it [R78] [C21]") {
  Events events;
  auto numbers = hold(count_and_clean_up(events));
  co_await numbers->next();
  const auto close = [](AsyncGenerator<int>& all) -> Coro<> { co_await all.aclose(); };
  auto closing = create_task(close(*numbers));
  co_await sleep(500ms);
  numbers = nullptr;
  events.push_back("dropped");
  const auto end = co_await closing.join();
  events.push_back(test::words_of(end.exception()));
  EXPECT_EQ(events, (Events{"dropped", "cleaned up", "nothing"}));
}

ASYNC_TEST(Generator, "that feeds another goes with it, each in its own next [R78] [C21]") {
  Events events;
  events.push_back(co_await end_of_next_of_dropped(hold(doubled(count(events))), events));
  EXPECT_EQ(events, (Events{"begins", "dropped", "closed", gone}));
}

// Cannot be cancelled: only a loop that closes ends it.
AsyncGenerator<int> swallow(Events& events) {
  const Note closed(events, "closed");
  for (;;) {
    try {
      co_await sleep(1h);
      co_yield 1;
    } catch (const CancelledError&) {
    }
  }
}
// Waits in a next() until its loop closes.
void close_a_loop_inside_next(Held& numbers, void (*before)(Held&), Events& events) {
  auto loop = new_event_loop();
  const auto reports = test::record_reports(*loop);
  auto task = loop->create_task(next_of(*numbers));
  loop->stop();
  loop->run_forever();
  before(numbers);
  loop->close();
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(*reports, (Events{"Task was destroyed but it is pending"}));
  events.push_back("loop closed");
}

SYNC_TEST(Generator, "dropped before its reader is torn down goes with the reader [R73] [C21]") {
  Events events;
  Held numbers = hold(swallow(events));
  close_a_loop_inside_next(
      numbers, [](Held& all) { all = nullptr; }, events);
  EXPECT_EQ(events, (Events{"closed", "loop closed"}));
}

SYNC_TEST(Generator, "dropped after its reader was torn down has nothing left [R73] [C21]") {
  Events events;
  Held numbers = hold(swallow(events));
  close_a_loop_inside_next(
      numbers, [](Held&) {}, events);
  events.push_back(testing::run(next_of(*numbers)));
  numbers = nullptr;
  EXPECT_EQ(events, (Events{"closed", "loop closed", "end"}));
}

// ---- aclose

ASYNC_TEST(Generator, "closed raises GeneratorExit at the co_yield and waits [R78]") {
  Events events;
  auto numbers = count_and_clean_up(events);
  co_await numbers.next();
  const auto begin = get_running_loop().now();
  co_await numbers.aclose();
  events.push_back(co_await next_of(numbers));
  EXPECT_EQ(events, (Events{"cleaned up", "end"}));
  EXPECT_EQ(get_running_loop().now() - begin, 1s);
}

ASYNC_TEST(Generator, "closed without a handler ends at the co_yield [R78]") {
  Events events;
  auto numbers = count(events);
  co_await numbers.next();
  co_await numbers.aclose();
  events.push_back("after aclose");
  EXPECT_EQ(events, (Events{"begins", "closed", "after aclose"}));
}

ASYNC_TEST(Generator, "closed before it was asked, or twice, is harmless") {
  Events events;
  auto numbers = count(events);
  co_await numbers.aclose();
  co_await numbers.aclose();
  events.push_back(co_await next_of(numbers));
  EXPECT_EQ(events, (Events{"end"}));
}

AsyncGenerator<int> yield_for_ever() {
  for (;;) {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
  }
}

ASYNC_TEST(Generator, "that yields again when it is closed is a RuntimeError at the caller") {
  auto numbers = yield_for_ever();
  co_await numbers.next();
  bool thrown = false;
  try {
    co_await numbers.aclose();
  } catch (const RuntimeError&) {
    thrown = true;
  }
  EXPECT_TRUE(thrown);
}

AsyncGenerator<int> fail_when_closed() {
  try {
    co_yield 1;
  } catch (const GeneratorExit&) {
    throw std::runtime_error("clean-up");
  }
}

ASYNC_TEST(Generator, "throws from aclose what its clean-up throws [R78]") {
  auto numbers = fail_when_closed();
  co_await numbers.next();
  const std::string end = co_await end_of(numbers.aclose());
  EXPECT_EQ(end, "clean-up");
}

ASYNC_TEST(Generator, "has its clean-up in aclose interrupted by a cancellation [C11] [R21]") {
  Events events;
  auto numbers = count_and_clean_up(events);
  co_await numbers.next();
  auto closing = create_task([&]() -> Coro<> { co_await numbers.aclose(); });
  co_await sleep(500ms);
  closing.cancel();
  const auto end = co_await closing.join();
  events.push_back(test::words_of(end.exception()));
  events.push_back(co_await next_of(numbers));
  EXPECT_EQ(events, (Events{"C", "end"}));
}

// ---- whose task

AsyncGenerator<std::string> names(const ContextVar<std::string>& var) {
  for (;;) co_yield current_task()->get_name() + " " + var.get();
}

ASYNC_TEST(Generator, "runs in the task and the context of whoever asks") {
  ContextVar<std::string> var("var");
  auto generator = names(var);
  const auto ask = [&](std::string value) -> Coro<std::string> {
    var.set(value);
    const auto item = co_await generator.next();
    co_return *item;
  };
  const std::string first = co_await create_task(ask("1"), {.name = "a"});
  const std::string second = co_await create_task(ask("2"), {.name = "b"});
  EXPECT_EQ(first, "a 1");
  EXPECT_EQ(second, "b 2");
}

}  // namespace
}  // namespace asyncio
