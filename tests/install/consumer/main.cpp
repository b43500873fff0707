// A stranger's program: awaits, gathers, and catches errors that the library throws.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

#include <cstdio>

using namespace std::chrono_literals;

namespace {

asyncio::Coro<int> answer(int half) {
  co_await asyncio::sleep(1ms);
  co_return 2 * half;
}

// Types of the errors must be the same on both sides of a shared library.
asyncio::Coro<int> caught() {
  int count = 0;
  try {
    co_await asyncio::wait_for(asyncio::sleep(1h), 1ms);
  } catch (const asyncio::TimeoutError&) {
    ++count;
  }
  auto task = asyncio::create_task(asyncio::sleep(1h));
  task.cancel();
  try {
    co_await task;
  } catch (const asyncio::CancelledError&) {
    ++count;
  }
  co_return count;
}

// Never run: what users instantiate must link, whatever the library hides.
asyncio::AsyncGenerator<int> numbers() { co_yield 1; }

asyncio::Coro<> everything() {
  asyncio::EventLoop& loop = asyncio::get_running_loop();
  loop.call_soon([] {}).cancel();
  loop.call_later(1s, [] {}).cancel();
  loop.call_at(loop.now() + 1s, [] {}).cancel();
  loop.call_soon_threadsafe([] {});
  auto task = asyncio::create_task(answer(1), {.name = "one"});
  task.add_done_callback([](asyncio::Task<int>) {});
  asyncio::AnyTask(task).add_done_callback([](asyncio::AnyTask) {});
  auto future = loop.create_future<int>();
  future.add_done_callback([](asyncio::Future<int>) {});
  future.set_result(1);
  static_cast<void>(co_await task.join());
  co_await asyncio::shield(task);
  co_await asyncio::AnyTask(task);
  co_await asyncio::AnyTask(task).join();
  auto posted = asyncio::run_coroutine_threadsafe(answer(1), loop);
  posted.add_done_callback([](asyncio::ThreadsafeFuture<int>) {});
  posted.get();
  co_await asyncio::to_thread([] { return 1; });
  asyncio::Lock lock;
  co_await lock.acquire();
  asyncio::Condition condition(lock);
  condition.notify_all();
  co_await condition.wait_for([] { return true; });
  lock.release();
  asyncio::BoundedSemaphore permits(2);
  auto permit = co_await permits.scoped_acquire();
  asyncio::Event event;
  event.set();
  co_await event.wait();
  co_await loop.run_in_executor(nullptr, [] { return 1; });
  co_await asyncio::race(answer(1), answer(2));
  co_await asyncio::gather_settled(answer(1), future);
  co_await asyncio::timeout(1s, [](asyncio::Timeout& limit) -> asyncio::Coro<> {
    limit.reschedule(std::nullopt);
    co_await asyncio::sleep(0s);
  });
  co_await asyncio::task_group([](asyncio::TaskGroup& group) -> asyncio::Coro<> {
    group.create_task(answer(1)).detach();
    co_return;
  });
  co_await asyncio::finally([]() -> asyncio::Coro<> { co_return; },
                            []() -> asyncio::Coro<> { co_return; });
  auto generator = numbers();
  while (auto number = co_await generator.next()) std::printf("%d\n", *number);
  co_await generator.aclose();
  asyncio::ContextVar<int> variable("variable", 1);
  std::printf("%d\n", variable.get());
}

asyncio::Coro<> async_main() {
  auto [first, second] = co_await asyncio::gather(answer(20), answer(1));
  int errors = co_await caught();
  std::printf("answer %d, errors %d\n", first + second, errors);
  if (errors < 0) co_await everything();
}

}  // namespace

int main() {
  try {
    asyncio::get_running_loop();
    return 1;
  } catch (const asyncio::RuntimeError&) {
  }
  asyncio::run(async_main());
}
