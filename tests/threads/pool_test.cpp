// A ThreadPool starts threads as they are needed, keeps the order, and ends when it has done all.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "support/async_test.hpp"
#include "support/program.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/run.hpp>
#include <asyncio/sleep.hpp>

#include "threads/pool.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;

template <class F>
auto in(ThreadPool& pool, F fn) {
  return get_running_loop().run_in_executor(&pool, fn);
}

ASYNC_TEST(ThreadPool, "starts no thread before the first call, and then uses it again") {
  ThreadPool pool(4);
  EXPECT_EQ(pool.workers(), 0u);
  for (int i = 0; i < 10; ++i) {
    co_await in(pool, [] {});
    // The loop may hear of a call's end before its worker is idle again.
    while (detail::PoolAccess::pool(pool).at_work().size() > 0) std::this_thread::yield();
  }
  EXPECT_EQ(pool.workers(), 1u);
}

ASYNC_TEST(ThreadPool, "runs as many calls at once as it has workers, and no more") {
  ThreadPool pool(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<Future<>> calls;
  for (int i = 0; i < 9; ++i) {
    calls.push_back(in(pool, [&] {
      const int now = ++inside;
      int seen = most;
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(1ms);
      --inside;
    }));
  }
  for (auto& call : calls) co_await call;
  EXPECT_LE(most, 3);
  EXPECT_LE(pool.workers(), 3u);
}

ASYNC_TEST(ThreadPool, "gives waiting calls to several workers") {
  ThreadPool pool(3);
  std::atomic<int> inside{0};
  std::vector<Future<>> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(in(pool, [&] {
      ++inside;
      while (inside < 3) std::this_thread::yield();  // each waits for the other two
    }));
  }
  for (auto& call : calls) co_await call;
  EXPECT_EQ(inside, 3);
}

ASYNC_TEST(ThreadPool, "begins calls in the order given") {
  ThreadPool pool(1);
  std::vector<int> order;
  std::vector<Future<>> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(in(pool, [&order, i] { order.push_back(i); }));
  for (auto& call : calls) co_await call;
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), 50u);
}

ASYNC_TEST(ThreadPool, "runs what it was given before it is destroyed") {
  std::atomic<int> ran{0};
  {
    ThreadPool pool(2);
    for (int i = 0; i < 20; ++i) in(pool, [&] { ++ran; });
  }
  EXPECT_EQ(ran, 20);
  co_return;
}

ASYNC_TEST(ThreadPool, "takes no calls after shutdown, and may be shut down twice") {
  ThreadPool pool(2);
  co_await in(pool, [] {});
  pool.shutdown(false);
  pool.shutdown();
  pool.shutdown();
  EXPECT_EQ(pool.workers(), 0u);
  EXPECT_THROW(in(pool, [] {}), RuntimeError);
}

ASYNC_TEST(ThreadPool, "lets go of cancelled calls while all workers are stuck") {
  ThreadPool pool(1);
  std::atomic<bool> go{false};
  auto stuck = in(pool, [&] { go.wait(false); });
  std::atomic<int> ran{0};
  for (int i = 0; i < 5000; ++i) in(pool, [&] { ++ran; }).cancel();
  auto last = in(pool, [&] { ++ran; });
  go = true;
  go.notify_all();
  co_await stuck;
  co_await last;
  EXPECT_EQ(ran, 1);
}

ASYNC_TEST(ThreadPool, "may be destroyed by one of its own calls") {
  auto* const pool = new ThreadPool(2);
  co_await get_running_loop().run_in_executor(pool, [pool] { delete pool; });
}

SYNC_TEST(ThreadPool, "has a sensible number of workers at most, and refuses none") {
  EXPECT_THROW(ThreadPool(0), std::invalid_argument);
  const std::size_t usual = ThreadPool().max_workers();
  EXPECT_GE(usual, 5u);
  EXPECT_LE(usual, 32u);
  EXPECT_EQ(ThreadPool(7).max_workers(), 7u);
}

/// While it lives, the kernel has no room for another thread's stack.
class NoThreads {
 public:
  NoThreads() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    ::pthread_attr_init(&huge);
    ::pthread_attr_setstacksize(&huge, std::size_t{1} << 47);
    ::pthread_setattr_default_np(&huge);
    ::pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

ASYNC_TEST(ThreadPool, "says so when no thread can be started, and tries again later [K6]") {
  ThreadPool pool(2);
  {
    const NoThreads here;
    try {
      in(pool, [] {});
      ADD_FAILURE() << "it started";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
    }
  }
  const int answer = co_await in(pool, [] { return 42; });
  EXPECT_EQ(answer, 42);
  const NoThreads here;
  const int again = co_await in(pool, [] { return 43; });  // one worker will do
  EXPECT_EQ(again, 43);
}

// ---- fork

// 1 if the pool refuses a call.
int refuses(ThreadPool& pool) {
  try {
    new_event_loop()->run_until_complete([](ThreadPool& threads) -> Coro<> {
      co_await in(threads, [] {});
    }(pool));
  } catch (const RuntimeError&) {
    return 1;
  }
  return 0;
}

SYNC_TEST(ThreadPool, "whose threads are a parent's refuses calls, and goes at once [R7]") {
  auto pool = std::make_unique<ThreadPool>(2);
  run([](ThreadPool& threads) -> Coro<> { co_await in(threads, [] {}); }(*pool));
  const int refused = test::in_child([&] {
    const int first = refuses(*pool);
    if (pool->workers() != 0) return -1;
    pool->shutdown();
    const int second = refuses(*pool);
    pool.reset();
    return first + second;
  });
  EXPECT_EQ(refused, 2);
  pool->shutdown(false);
  while (pool->workers() > 0) std::this_thread::yield();
  EXPECT_EQ(test::in_child([&] {
              pool.reset();
              return 3;
            }),
            3);
}

SYNC_TEST(ThreadPool, "of a parent may be the default one of a child's loop [R7]") {
  const auto pool = std::make_shared<ThreadPool>(2);
  run([](ThreadPool& threads) -> Coro<> { co_await in(threads, [] {}); }(*pool));
  const int answer = test::in_child([&] {
    auto loop = new_event_loop();
    loop->set_default_executor(pool);
    loop.reset();
    return 3;
  });
  EXPECT_EQ(answer, 3);
}

SYNC_TEST(ThreadPool, "that has no threads yet starts them in a forked child [R7]") {
  auto pool = std::make_unique<ThreadPool>(2);
  const auto loop = new_event_loop();
  const int answer = test::in_child([&] {
    const int given = run([](ThreadPool& threads) -> Coro<int> {
      co_return co_await in(threads, [] { return 42; });
    }(*pool));
    pool.reset();
    return given;
  });
  EXPECT_EQ(answer, 42);
}

SYNC_TEST(ThreadPool, "of a loop refuses calls of a child that was forked inside of it [R7]") {
  run([]() -> Coro<> {
    co_await to_thread([] {});
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);
      try {
        co_await to_thread([] {});
      } catch (const RuntimeError&) {
        ::_exit(42);
      }
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 42);
  }());
}

PROGRAM(a_static_pool_and_fork) {
  static ThreadPool pool(2);
  run([]() -> Coro<> { co_await in(pool, [] {}); }());
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    return 0;
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0 ? 0 : 1;
}

SYNC_TEST(ThreadPool, "that is static does not keep a forked child from its exit [R7]") {
  const test::ProcessEnd end = test::run_program("a_static_pool_and_fork");
  EXPECT_EQ(end.code, 0) << end.signal << end.err;
}

}  // namespace
}  // namespace asyncio
