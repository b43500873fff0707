// Context variables follow a task and those it makes, and nothing flows back.
// SPDX-License-Identifier: MIT
#include <asyncio/context.hpp>

#include "support/async_test.hpp"

#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include <stdexcept>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

ContextVar<std::string> who{"who", "nobody"};

Coro<std::string> read_who() { co_return who.get(); }
Coro<> set_who(std::string name) {
  who.set(name);
  co_return;
}

// ---- variables

SYNC_TEST(ContextVar, "gives its default, its value, and its default again after reset [R85]") {
  Events seen{who.get()};
  auto token = who.set("ada");
  seen.push_back(who.get());
  who.reset(token);
  seen.push_back(who.get());
  EXPECT_EQ(seen, (Events{"nobody", "ada", "nobody"}));
}

SYNC_TEST(ContextVar, "throws LookupError without value and default, and names itself [R85]") {
  const ContextVar<int> bare("bare");
  std::string message;
  try {
    bare.get();
  } catch (const LookupError& error) {
    message = error.what();
  }
  EXPECT_NE(message.find("'bare'"), std::string::npos) << message;
  EXPECT_EQ(bare.get(7), 7);
  EXPECT_EQ(bare.name(), "bare");
}

SYNC_TEST(ContextVar, "a token works once, for its own variable and in its own context [R85]") {
  const ContextVar<int> number("number", 0);
  const ContextVar<int> other("other", 0);
  auto token = number.set(1);
  EXPECT_THROW(other.reset(token), std::invalid_argument);
  EXPECT_THROW(copy_context().run([&] { number.reset(token); }), RuntimeError);
  number.reset(token);
  EXPECT_THROW(number.reset(token), RuntimeError);
}

SYNC_TEST(ContextVar, "scoped_set takes its value back at the end of the scope [R85]") {
  Events seen;
  {
    auto scope = who.scoped_set("ada");
    seen.push_back(who.get());
  }
  seen.push_back(who.get());
  EXPECT_EQ(seen, (Events{"ada", "nobody"}));
}

SYNC_TEST(ContextVar, "may be a local: a context keeps its value, not its address [R85]") {
  auto held = std::make_shared<int>(0);
  Context context = copy_context();
  {
    const ContextVar<std::shared_ptr<int>> local("local");
    context.run([&] { local.set(held); });
    EXPECT_EQ(held.use_count(), 2);
  }
  const ContextVar<std::shared_ptr<int>> next("local");
  EXPECT_THROW(context.run([&] { return next.get(); }), LookupError);
  context = Context();
  EXPECT_EQ(held.use_count(), 1);
}

SYNC_TEST(ContextVar, "frees a value that was set over [R85]") {
  const ContextVar<std::shared_ptr<int>> held("held");
  auto value = std::make_shared<int>(0);
  held.set(value);
  held.set(nullptr);
  EXPECT_EQ(value.use_count(), 1);
}

// ---- contexts

SYNC_TEST(Context, "keeps what was set inside of run, and shows nothing of it outside [R85]") {
  const Context context = copy_context();
  context.run([] { who.set("inside"); });
  EXPECT_EQ(who.get(), "nobody");
  EXPECT_EQ(context.run([] { return who.get(); }), "inside");
}

SYNC_TEST(Context, "cannot be entered twice [R85]") {
  const Context context = copy_context();
  EXPECT_THROW(context.run([&] { context.run([] {}); }), RuntimeError);
  EXPECT_EQ(context.run([] { return who.get(); }), "nobody");
}

SYNC_TEST(Context, "is left again when the function throws [R85]") {
  const Context context = copy_context();
  EXPECT_THROW(context.run([] {
    who.set("inside");
    throw std::runtime_error("boom");
  }),
               std::runtime_error);
  EXPECT_EQ(who.get(), "nobody");
  EXPECT_EQ(context.run([] { return who.get(); }), "inside");
}

SYNC_TEST(Context, "gives what its function returns, with its arguments [R85]") {
  const Context context;
  EXPECT_EQ(context.run([](int a, int b) { return a + b; }, 40, 2), 42);
}

SYNC_TEST(Context, "of a plain thread is empty at first [R85]") {
  auto scope = who.scoped_set("main thread");
  std::string seen;
  std::thread([&] { seen = who.get(); }).join();
  EXPECT_EQ(seen, "nobody");
}

// ---- tasks

ASYNC_TEST(Context, "is copied at create_task: later changes do not show in the task [R85]") {
  who.set("before");
  auto task = create_task(read_who());
  who.set("after");
  const std::string seen = co_await task;
  EXPECT_EQ(seen, "before");
}

ASYNC_TEST(Context, "of a child never changes the parent's [R85]") {
  who.set("parent");
  auto task = create_task(set_who("child"));
  co_await task;
  EXPECT_EQ(who.get(), "parent");
}

ASYNC_TEST(Context, "is shared by a plain await [R85]") {
  co_await set_who("callee");
  EXPECT_EQ(who.get(), "callee");
}

ASYNC_TEST(Context, "survives suspensions, each task's own [R85]") {
  const auto set_and_read = [](std::string name) -> Coro<std::string> {
    who.set(name);
    co_await sleep(1s);
    co_return who.get();
  };
  auto a = create_task(set_and_read, {}, std::string("a"));
  auto b = create_task(set_and_read, {}, std::string("b"));
  const std::string from_a = co_await a;
  const std::string from_b = co_await b;
  EXPECT_EQ(from_a + from_b, "ab");
}

ASYNC_TEST(Context, "given to create_task is this very context, not a copy [R85]") {
  Context context = copy_context();
  auto task = create_task(set_who("in it"), {.context = &context});
  co_await task;
  EXPECT_EQ(context.run([] { return who.get(); }), "in it");
  EXPECT_EQ(who.get(), "nobody");
  EXPECT_TRUE(task.get_context() == context);
}

ASYNC_TEST(Context, "of a task can be asked for, and changes with it [R85]") {
  auto task = create_task([]() -> Coro<> {
    who.set("first");
    co_await sleep(1s);
    who.set("second");
  });
  co_await sleep(0s);
  const Context context = task.get_context();
  const std::string before = context.run([] { return who.get(); });
  co_await task;
  EXPECT_EQ(before, "first");
  EXPECT_EQ(context.run([] { return who.get(); }), "second");
}

// ---- callbacks

ASYNC_TEST(Context, "is copied at call_soon and call_later [R85]") {
  Events seen;
  EventLoop& loop = get_running_loop();
  who.set("soon");
  loop.call_soon([&] {
    seen.push_back(who.get());
    who.set("lost");
  });
  who.set("later");
  loop.call_later(1s, [&] { seen.push_back(who.get()); });
  who.set("now");
  co_await sleep(2s);
  seen.push_back(who.get());
  EXPECT_EQ(seen, (Events{"soon", "later", "now"}));
}

ASYNC_TEST(Context, "is copied at add_done_callback [R85]") {
  std::string seen;
  auto future = get_running_loop().create_future<>();
  who.set("when added");
  future.add_done_callback([&](Future<>) { seen = who.get(); });
  who.set("when set");
  future.set_result();
  co_await sleep(0s);
  EXPECT_EQ(seen, "when added");
}

ASYNC_TEST(Context, "of a callback can be chosen with in_context [R85]") {
  std::string seen;
  const Context context = copy_context();
  context.run([] { who.set("chosen"); });
  get_running_loop().call_soon(in_context(context, [&] { seen = who.get(); }));
  co_await sleep(0s);
  EXPECT_EQ(seen, "chosen");
}

ASYNC_TEST(Context, "of the posting thread is carried by call_soon_threadsafe [R85]") {
  std::string seen;
  EventLoop& loop = get_running_loop();
  auto done = loop.create_future<>();
  auto hold = loop.hold();
  std::thread poster([&] {
    auto scope = who.scoped_set("poster");
    loop.call_soon_threadsafe([&] {  // no copy of `done`: handles are the loop's thread's
      seen = who.get();
      done.set_result();
    });
  });
  co_await done;
  poster.join();
  EXPECT_EQ(seen, "poster");
}

ASYNC_TEST(Context, "keeps a call_soon_threadsafe of the loop's own thread in its place [R1]") {
  Events events;
  EventLoop& loop = get_running_loop();
  loop.call_soon([&] { events.push_back("1"); });
  loop.call_soon_threadsafe([&] { events.push_back("2"); });
  loop.call_soon([&] { events.push_back("3"); });
  co_await sleep(0s);
  EXPECT_EQ(events, (Events{"1", "2", "3"}));
}

ASYNC_TEST(Context, "that was moved from says so when it is used") {
  Context empty;
  const Context taken = std::move(empty);
  EXPECT_THROW(empty.run([] {}), RuntimeError);
  EXPECT_THROW(static_cast<void>(create_task(read_who(), {.context = &empty})), RuntimeError);
  const Context copy = empty;
  EXPECT_EQ(copy, empty);
  empty = copy_context();
  empty.run([] { who.set("filled"); });
  EXPECT_EQ(co_await create_task(read_who(), {.context = &empty}), "filled");
}

// ---- reports and runs

ASYNC_TEST(Context, "of the task is the exception handler's [R82]") {
  std::string seen;
  get_running_loop().set_exception_handler(
      [&](EventLoop&, const ExceptionContext&) { seen = who.get(); });
  create_task([]() -> Coro<> {
    who.set("failing task");
    co_await sleep(0s);
    throw std::runtime_error("boom");
  }).detach();
  co_await sleep(1s);
  EXPECT_EQ(seen, "failing task");
}

ASYNC_TEST(Context, "of the callback is the exception handler's [R82]") {
  std::string seen;
  EventLoop& loop = get_running_loop();
  loop.set_exception_handler([&](EventLoop&, const ExceptionContext&) { seen = who.get(); });
  who.set("caller");
  loop.call_soon([] { throw std::runtime_error("boom"); });
  who.set("main");
  co_await sleep(0s);
  EXPECT_EQ(seen, "caller");
}

SYNC_TEST(Context, "of main is a copy of the caller's [R85] [R76]") {
  auto scope = who.scoped_set("caller");
  EXPECT_EQ(run(read_who()), "caller");
  run(set_who("main"));
  EXPECT_EQ(who.get(), "caller");
}

SYNC_TEST(Context, "of a Runner is one across its runs [R76]") {
  const ContextVar<int> count("count", 0);
  Runner runner;
  const auto add = [](const ContextVar<int>& var) -> Coro<int> {
    var.set(var.get() + 1);
    co_return var.get() - 1;
  };
  EXPECT_EQ(runner.run(add(count)), 0);
  EXPECT_EQ(runner.run(add(count)), 1);
  EXPECT_EQ(count.get(), 0);
}

SYNC_TEST(Context, "given to Runner::run is used for this run alone [R76]") {
  Runner runner;
  Context own = copy_context();
  own.run([] { who.set("own"); });
  EXPECT_EQ(runner.run(read_who(), &own), "own");
  EXPECT_EQ(runner.run(read_who()), "nobody");
}

}  // namespace
}  // namespace asyncio
