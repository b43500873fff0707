// Every spelling that the documentation recommends, each in one awaited expression [A10] [A11].
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <ranges>
#include <stop_token>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using asyncio::Coro;
using asyncio::Started;
using asyncio::Task;
using asyncio::TaskGroup;
using asyncio::Timeout;

Coro<int> number(int value = 1) { co_return value; }
Coro<> nothing() { co_return; }
Coro<std::string> text(std::string name) { co_return name; }
Coro<> serve(Started& started, std::string name) {
  started();
  co_await text(name);
}
std::string read_file(std::string path) { return path; }

class Door {
 public:
  explicit Door(std::string name) : name_(std::move(name)) {}
  Coro<> aenter() { co_return; }
  Coro<> aexit(std::exception_ptr) { co_return; }

 private:
  std::string name_;
};

Coro<> cheat_sheet() {
  co_await nothing();
  co_await asyncio::gather(number(), text("x"));
  co_await asyncio::wait_for(number(), 5s);
  co_await asyncio::sleep(1s);
  co_await asyncio::to_thread(read_file, "x");
}

Coro<> tasks() {
  const std::string name = "worker";
  co_await asyncio::create_task(number());
  co_await asyncio::create_task(number(), {.name = "worker"});
  co_await asyncio::create_task(number(), {.name = name, .eager_start = true});
  co_await asyncio::create_task(number, asyncio::TaskOptions{.name = name}, 2);
  co_await asyncio::create_task(asyncio::sleep(1s));
  auto task = asyncio::create_task([name]() -> Coro<std::string> { co_return name; });
  const std::string& kept = co_await task;
  const std::string moved = co_await std::move(task);
  co_await asyncio::ensure_future(number());
  auto joined = asyncio::create_task(number());
  co_await joined.join();
  co_await asyncio::shield(joined);
  asyncio::create_task(nothing()).detach();
  const asyncio::AnyTask any = joined;
  co_await any;
  co_await any.join();
  auto future = asyncio::get_running_loop().create_future<int>();
  future.set_result(static_cast<int>(kept.size() + moved.size()));
  co_await future;
}

Coro<> combining() {
  std::vector<Task<int>> tasks{asyncio::create_task(number()), asyncio::create_task(number())};
  auto coros = [] {
    std::vector<Coro<int>> made;
    made.push_back(number());
    return made;
  };
  const auto make = [](int i) { return number(i); };
  co_await asyncio::gather(nothing(), number(), asyncio::sleep(1s), tasks[0]);
  co_await asyncio::gather(coros());
  co_await asyncio::gather(tasks);
  co_await asyncio::gather(coros(), {.limit = 2});
  co_await asyncio::gather_settled(number(), nothing());
  co_await asyncio::gather_settled(coros(), {.limit = 2});
  co_await asyncio::gather_limited(2, coros());
  co_await asyncio::gather_limited(2, std::views::iota(0, 4) | std::views::transform(make));
  co_await asyncio::race(number(), nothing());
  co_await asyncio::race(coros());
  co_await asyncio::wait(tasks);
  co_await asyncio::wait(tasks, {.timeout = 1s});
  co_await asyncio::wait(tasks, {.timeout = 1s, .return_when = asyncio::FIRST_COMPLETED});
  co_await asyncio::wait(tasks, {.return_when = asyncio::FIRST_EXCEPTION});
  co_await asyncio::wait_for(number(), std::nullopt);
  co_await asyncio::wait_for(asyncio::gather(number(), number()), 1.5s);
  auto finished = asyncio::as_completed(tasks, 5s);
  while (auto task = co_await finished.next()) co_await *task;
}

Coro<> timeouts() {
  const auto now = asyncio::get_running_loop().now();
  co_await asyncio::timeout(5s, [&](Timeout& limit) -> Coro<int> {
    limit.reschedule(now + 10s);
    co_return 1;
  });
  co_await asyncio::timeout(5s, nothing);
  co_await asyncio::timeout(5s, text, std::string("x"));
  co_await asyncio::timeout_at(now + 5s, nothing);
  co_await asyncio::timeout_at(now + 1.5s, nothing);
  co_await asyncio::timeout_at(std::optional(now), nothing);
  co_await asyncio::timeout_at({}, nothing);
  co_await asyncio::timeout_at(std::nullopt, text, std::string("x"));
  co_await asyncio::move_on_after(5s, nothing);
  co_await asyncio::move_on_after(std::nullopt, text, std::string("x"));
  co_await asyncio::sleep(1s, std::string("x"));
  co_await asyncio::sleep_until(now + 1s);
  co_await asyncio::sleep_until(now + 1.5s);
  co_await asyncio::timeout(5s, asyncio::sleep_until, now);
}

Coro<> groups() {
  const std::string name = "worker";
  co_await asyncio::task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(nothing());
    group.create_task(number(), {.name = name});
    group.create_task(number, asyncio::TaskOptions{.name = "worker"}, 2);
    group.create_task([name]() -> Coro<> { co_return; });
    co_await group.start(serve, std::string("x"));
    co_await group.create_task(number(), {.name = "worker", .eager_start = true});
    group.cancel();
  });
  co_await asyncio::task_group([](TaskGroup&) -> Coro<> { co_return; }, {.limit = 2});
  const auto body = [](TaskGroup&, std::string&) -> Coro<> { co_return; };
  co_await asyncio::task_group(body, std::string("x"));
  co_await asyncio::task_group(body, {.limit = 2}, std::string("x"));
}

Coro<int> scopes() {
  const std::string name = "owned";
  const auto named = [name]() -> Coro<std::string> { co_return name; };
  Door door("back");
  co_await asyncio::with(door, [&](auto&) -> Coro<> { co_return; });
  co_await asyncio::with(Door("front"), nothing);
  co_await asyncio::with(asyncio::AsyncExitStack(), [&](auto& stack) -> Coro<> {
    co_await stack.enter(door);
    co_await stack.enter(Door("side"));
    stack.push_async([name] {});
    stack.push_async([name]() -> Coro<> { co_return; });
  });
  co_await asyncio::finally([&]() -> Coro<> { co_return; }, [&]() -> Coro<> { co_return; });
  co_await asyncio::finally(named, [&] {});
  co_await asyncio::try_(named);
  co_await asyncio::try_([&]() -> Coro<> { co_await text(name); });
  const auto body = []() -> Coro<int> { co_return 1; };
  if (auto r = co_await asyncio::move_on_after(5s, body)) co_return *r;
  co_return 0;
}

asyncio::AsyncGenerator<int> count() {
  for (int i = 0;; ++i) {
    co_await asyncio::sleep(0s);
    co_yield i;
  }
}

Coro<> generators() {
  auto numbers = count();
  while (auto n = co_await numbers.next()) {
    if (*n == 3) break;
  }
  co_await numbers.aclose();
}

Coro<> threads(asyncio::ThreadPool& pool) {
  const std::string path = "notes.txt";
  co_await asyncio::to_thread(read_file, path);
  co_await asyncio::to_thread([&] { return path.size(); });
  co_await asyncio::to_thread([](std::stop_token stop) { return stop.stop_requested(); });
  co_await asyncio::get_running_loop().run_in_executor(&pool, read_file, path);
  co_await asyncio::get_running_loop().run_in_executor(nullptr, read_file, path);
}
