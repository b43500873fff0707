// The loop's default executor: made when first asked for, joined when the loop goes.
// SPDX-License-Identifier: MIT
#include <asyncio/threads.hpp>

#include "core/loop.hpp"
#include "core/report.hpp"
#include "threads/call_name.hpp"
#include "threads/pool.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio::inline v0 {
namespace detail {
namespace {

/// Comes home when the last worker of a pool has gone.
class Farewell final : public JobOf<void, AwaitedJob> {
 public:
  explicit Farewell(Pool& pool) noexcept : pool_(pool) {}

  void begin(LoopBase& where) override {
    set_out(where);
    pool_.bid_farewell(*this);
  }
  void drop_callable() noexcept override {}

 private:
  void invoke() override {}

  Pool& pool_;
};

struct GiveUp final : CallTimer {
  void fire() noexcept override { time_is_up = true; }
  bool time_is_up = false;
};

void report_stuck(Loop& loop, const std::vector<CallName>& calls) noexcept {
  try {
    std::string message =
        "The loop is closed while calls of its default executor still run; their threads are left "
        "behind. A call that may block for long can take a std::stop_token, which says when to "
        "stop:";
    for (const CallName& call : calls) message += in_words(call);
    report(loop, message, nullptr);
  } catch (...) {
  }
}

// The loop turns meanwhile: a call may wait for what it asked of it.
bool turn_until_home(Loop& loop, const Farewell& job) {
  const RunningLoop scope(loop, RunningLoop::Inside::another);
  GiveUp limit;
  arm_timer(loop, limit, later(loop_now(loop), loop.executor_patience));
  while (!job.is(CallbackNode::called) && !limit.time_is_up) {
    loop.run_one_turn();
    loop.fatal = nullptr;
  }
  disarm_timer(loop, limit);
  return job.is(CallbackNode::called);
}

void join_executor(Loop& loop) {
  if (loop.in_forked_child()) {
    // Its threads are the parent's; nobody here will give back what they held.
    static_cast<void>(new std::shared_ptr<void>(std::move(loop.executor)));
    return;
  }
  const std::shared_ptr<void> kept = loop.executor;
  Pool& pool = pool_of(loop, nullptr);
  pool.shutdown();
  auto* const job = new Farewell(pool);
  job->begin(loop);
  if (turn_until_home(loop, *job)) {
    pool.join();
  } else {
    report_stuck(loop, pool.at_work());
    job->abandon();
    pool.drop_line();
    pool.detach();
  }
  job->release();
}

}  // namespace

void report_exhausted(LoopBase& base) noexcept {
  if (!base.debug) return;
  report(loop_of(base),
         "Every thread of a pool waits for a result of a loop, while a call waits for a thread: if "
         "that call is what they wait for, none will ever end. A call that waits for others wants "
         "a pool of its own, or to be a coroutine",
         nullptr);
}

Pool& pool_of(LoopBase& base, ThreadPool* pool) {
  if (pool) return PoolAccess::pool(*pool);
  Loop& loop = loop_of(base);
  if (!loop.executor) [[unlikely]] {
    loop.executor = std::make_shared<ThreadPool>();
    loop.join_executor = &join_executor;
  }
  return PoolAccess::pool(*static_cast<ThreadPool*>(loop.executor.get()));
}

void set_executor(LoopBase& base, ThreadPool* pool, Kept* kept) {
  std::shared_ptr<Kept> owner(kept);
  if (!pool) throw std::invalid_argument("set_default_executor: the pool is null");
  Loop& loop = loop_of(base);
  loop.executor = std::shared_ptr<void>(std::move(owner), pool);
  loop.join_executor = &join_executor;
}

void add_errand(LoopBase& loop, Errand& errand) noexcept { loop_of(loop).errands.append(errand); }

}  // namespace detail

Coro<> EventLoop::shutdown_default_executor() {
  detail::LoopBase& loop = open_base("shutdown_default_executor");
  detail::Pool& pool = detail::pool_of(loop, nullptr);
  const std::shared_ptr<void> kept = loop_->executor;
  pool.shutdown();
  ToThread<void> gone(*new detail::Farewell(pool));
  co_await std::move(gone);
  pool.join();
}

}  // namespace asyncio::inline v0
