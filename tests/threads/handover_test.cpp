// Jobs and threadsafe futures between threads, in every interleaving, on memory as weak as can be.
// SPDX-License-Identifier: MIT
#include "threads/handover.hpp"

#include "support/async_test.hpp"
#include "support/model/gate.hpp"
#include "support/model/model.hpp"
#include "support/model/orders.hpp"

#include <array>
#include <string>
#include <vector>

namespace asyncio {
namespace {

namespace model = test::model;
using model::explore;
using model::Finding;
using model::Office;
using model::Program;
using model::Run;
using model::Var;

const std::uint64_t many = model::is_slow ? 500 : 10'000;

// As CallbackNode's count, and what it counts is posted.
struct Counted : model::Node, model::Deletable {
  Counted(Office& where, int& deleted) : office(where), deleted_(deleted) {}
  virtual ~Counted() { ++deleted_; }

  virtual void call() = 0;
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references.load(std::memory_order_acquire) != 1 &&
        references.fetch_sub(1, std::memory_order_acq_rel) - 1 > 0) {
      return;
    }
    delete this;
  }

  Office& office;
  model::Atomic<std::uint32_t> references{1};

 private:
  int& deleted_;
};

// As the loop calls what was posted.
void call_what_was_taken(Office& office) {
  for (model::Node* node : office.taken.nodes) {
    auto& taken = static_cast<Counted&>(*node);
    taken.call();
    taken.release();
  }
  office.taken.nodes.clear();
}

// ---- a job, with the steps of to_thread.cpp

enum class Stage : std::uint8_t { resting, queued, running, withdrawn };

// The awaiter in the frame of the task that waits: gone when the task goes on.
struct Wait : model::Deletable {
  Var<bool> stands{true};
};

struct Job final : Counted {
  Job(Office& where, int& deleted) : Counted(where, deleted) {
    model::name_last({"references", "stage_", "asked_to_stop"});
  }

  model::Atomic<Stage> stage{Stage::resting};
  model::Atomic<bool> asked_to_stop{false};
  Var<bool> callable{true};
  Var<int> result{0};
  Var<Wait*> waiter{nullptr};

  void set_out() {
    office.gate->count_out();
    retain();
    stage.store(Stage::queued, std::memory_order_relaxed);
  }
  bool leave_line(Stage to) { return detail::decide(stage, Stage::queued, to); }
  void drop_callable() {
    model::check(callable, "the call's arguments are destroyed twice");
    callable = false;
  }

  void run() {
    if (!leave_line(Stage::running)) {
      release();
      return;
    }
    model::check(callable, "a call is made without its arguments");
    result = result + 1;
    drop_callable();
    if (!office.gate->bring_home(*this)) release();
  }
  void discard() {
    if (leave_line(Stage::withdrawn)) {
      drop_callable();
      office.gate->count_home();
    }
    release();
  }
  void abandon() {
    if (leave_line(Stage::withdrawn)) {
      drop_callable();
      office.gate->count_home();
    } else if (stage.load(std::memory_order_relaxed) == Stage::running) {
      asked_to_stop.store(true, std::memory_order_relaxed);
    }
  }
  void call() override {
    if (Wait* const waits = waiter) {
      model::check(waits->stands, "a task that has gone on is woken");
      model::check(result == 1, "the call was not made once");
    }
  }
};

struct Workshop : Office {
  int jobs_deleted = 0;
  model::Atomic<Job*> line{nullptr};  // the pool's, whose mutex does what this does

  Workshop() { model::name_last({"line_"}); }

  // As ThreadWait::await_suspend(): the job is out before its waiter is written down.
  Job& begin() {
    Job& job = *new Job(*this, jobs_deleted);
    job.set_out();
    line.store(&job, std::memory_order_release);
    job.waiter = new Wait;
    return job;
  }
  void work_once() {
    Job* job = nullptr;
    while (!(job = line.load(std::memory_order_acquire))) model::yield();
    if (line.exchange(nullptr, std::memory_order_acq_rel)) job->run();
  }
  // The task goes on, and with it its awaiter, which has counted the job.
  void go_on(Job& job) {
    Wait* const wait = job.waiter;
    job.waiter = nullptr;
    wait->stands = false;
    delete wait;
    job.release();
  }
  void look_until_home() {
    while (taken.nodes.empty()) look();
    call_what_was_taken(*this);
  }
  void close() {
    gate->close(true);
    waker.alive = false;
    take();
    call_what_was_taken(*this);
    gate->release();
  }
};

enum class Cancel { never, at_once };

Program hopping(int hops, Cancel cancel) {
  return [hops, cancel](Run& run) {
    auto& shop = run.make<Workshop>();
    run.thread("worker", [&shop, hops, cancel] {
      for (int hop = 0; hop < hops; ++hop) shop.work_once();
      if (cancel == Cancel::at_once) shop.gate->release();
    });
    if (cancel == Cancel::at_once) shop.gate->retain();
    run.thread("loop", [&shop, hops, cancel] {
      for (int hop = 0; hop < hops; ++hop) {
        Job& job = shop.begin();
        if (cancel == Cancel::never) {
          shop.look_until_home();
        } else {
          job.abandon();
          model::check(job.stage.load(std::memory_order_relaxed) == Stage::withdrawn ||
                           job.asked_to_stop.load(std::memory_order_relaxed),
                       "a call that nobody waits for is neither withdrawn nor asked to stop");
        }
        shop.go_on(job);
      }
      shop.close();
    });
    run.afterwards([&shop, hops] {
      model::check(shop.jobs_deleted == hops, "a job was not freed once");
      model::check(shop.gates_deleted == 1, "the gate was not deleted once");
    });
  };
}

// As join_executor(): the loop has lost its patience with the pool.
void give_up(Run& run) {
  auto& shop = run.make<Workshop>();
  shop.gate->retain();
  run.thread("worker", [&shop] {
    if (Job* const job = shop.line.exchange(nullptr, std::memory_order_acq_rel)) job->run();
    shop.gate->release();
  });
  run.thread("loop", [&shop] {
    Job& job = shop.begin();
    if (model::choose(2) == 1) job.abandon();
    if (Job* const left = shop.line.exchange(nullptr, std::memory_order_acq_rel)) left->discard();
    shop.go_on(job);
    shop.close();
  });
  run.afterwards([&shop] {
    model::check(shop.jobs_deleted == 1, "the job was not freed once");
    model::check(shop.gates_deleted == 1, "the gate was not deleted once");
  });
}

SYNC_TEST(Handover, "nobody touches an awaiter or a job that it has given away [A6]") {
  const Finding one = explore({}, hopping(1, Cancel::never));
  EXPECT_TRUE(one.holds()) << one;
  const Finding more = explore({.random_runs = many}, hopping(4, Cancel::never));
  EXPECT_TRUE(more.holds()) << more;
}

SYNC_TEST(Handover, "a job is run or withdrawn, never both, and is freed once [R87]") {
  const Finding one = explore({}, hopping(1, Cancel::at_once));
  EXPECT_TRUE(one.holds()) << one;
  const Finding line = explore({}, &give_up);
  EXPECT_TRUE(line.holds()) << line;
}

// ---- a threadsafe future, with the steps of safe_state.cpp

using Status = std::uint32_t;
constexpr Status pending = 0;
constexpr Status setting = 1;
constexpr Status value = 2;
constexpr Status cancelled = 4;

struct Callback {
  Var<Callback*> next{nullptr};
  Var<int> calls{0};
};

struct Future final : Counted {
  Future(Office& where, int& deleted) : Counted(where, deleted), gate(*where.gate) {
    model::name_last({"references", "status_", "sleepers_", "callbacks_"});
    gate.retain();
  }
  ~Future() override { gate.release(); }

  model::Atomic<std::uint32_t> status{pending};
  model::Atomic<std::uint32_t> sleepers{0};
  model::Atomic<Callback*> callbacks{nullptr};
  Callback all_called;
  model::Gate& gate;
  Var<int> result{0};
  Var<bool> task_was_cancelled{false};

  bool begin_setting() { return detail::decide(status, pending, setting); }
  void publish(Status last) {
    detail::end_word(status, sleepers, last, &model::futex_wake_all);
    Callback* oldest = detail::close_stack(callbacks, all_called);
    while (oldest) {
      Callback* const newer = oldest->next;
      call_one(*oldest);
      oldest = newer;
    }
  }
  void settle() {
    if (!begin_setting()) return;
    result = 7;
    publish(value);
  }
  bool cancel() {
    if (!begin_setting()) return false;
    publish(cancelled);
    retain();
    if (!gate.post(*this)) release();
    return true;
  }
  void call() override { task_was_cancelled = true; }

  void call_one(Callback& callback) {
    check_end();
    callback.calls = callback.calls + 1;
  }
  void add_callback(Callback& callback) {
    if (!detail::push_if_open(callbacks, callback, all_called)) call_one(callback);
  }
  void wait() {
    if (status.load(std::memory_order_acquire) >= value) return check_end();
    detail::sleep_until(
        status, sleepers, [](std::uint32_t seen) { return seen >= value; },
        [this](std::uint32_t seen) {
          model::futex_wait(status, seen);
          return true;
        });
    check_end();
  }
  // What get() does: with the value comes what was written before.
  void check_end() {
    const std::uint32_t last = status.load(std::memory_order_acquire);
    model::check(last >= value, "told of an end that has not come");
    model::check(last != value || result == 7, "a value that is not there");
  }
};

struct Plan {
  int waiters = 0;
  int callbacks = 0;
  int cancels = 0;
};

Program ending(Plan plan) {
  return [plan](Run& run) {
    struct Shared : Office {
      int deleted = 0;
      Future* future = new Future(*this, deleted);
      std::array<Callback, 2> callbacks;
      model::Atomic<int> cancelled{0};
    };
    auto& shared = run.make<Shared>();
    Future& future = *shared.future;
    const auto holder = [&](const char* name, auto body) {
      future.retain();
      run.thread(name, [&future, body] {
        body(future);
        future.release();
      });
    };
    for (int i = 0; i < plan.waiters; ++i) holder("waiter", [](Future& f) { f.wait(); });
    for (int i = 0; i < plan.callbacks; ++i) {
      Callback& callback = shared.callbacks[static_cast<std::size_t>(i)];
      holder("adder", [&callback](Future& f) { f.add_callback(callback); });
    }
    for (int i = 0; i < plan.cancels; ++i) {
      holder("canceller", [&shared](Future& f) {
        if (f.cancel()) shared.cancelled.fetch_add(1, std::memory_order_relaxed);
      });
    }
    run.thread("loop", [&shared] {
      shared.future->settle();
      shared.future->release();
      shared.gate->close(true);
      shared.waker.alive = false;
      shared.take();
      call_what_was_taken(shared);
      shared.gate->release();
    });
    run.afterwards([&shared, plan] {
      for (int i = 0; i < plan.callbacks; ++i) {
        model::check(shared.callbacks[static_cast<std::size_t>(i)].calls == 1,
                     "a callback was not called once");
      }
      model::check(shared.cancelled.load() <= 1, "cancelled twice");
      model::check(shared.deleted == 1, "the future was not freed once");
    });
  };
}

SYNC_TEST(Handover, "a threadsafe future ends once, and all who wait or left a callback hear it") {
  for (const Plan& plan : {Plan{.waiters = 1}, Plan{.callbacks = 2}, Plan{.cancels = 1}}) {
    const Finding found = explore({}, ending(plan));
    EXPECT_TRUE(found.holds()) << found;
  }
  for (const Plan& plan : {Plan{1, 1, 1}, Plan{2, 0, 1}, Plan{2, 1, 0}, Plan{0, 1, 2}}) {
    const Finding found = explore({.random_runs = many}, ending(plan));
    EXPECT_TRUE(found.holds()) << found;
  }
}

// ---- that it would be seen if it were not so

SYNC_TEST(Handover, "each memory order is needed: weaken it, and the model finds the fault [L12]") {
  const std::vector<Program> programs = {
      ending({.waiters = 1}), ending({.callbacks = 1}), ending({.cancels = 1}),
      hopping(1, Cancel::never), hopping(1, Cancel::at_once), &give_up};
  const test::Events needed{
      "close_stack exchange acq_rel",
      "end_word load seq_cst",
      "end_word store seq_cst",
      "push_if_open compare_exchange_weak release",
      "push_if_open load acquire",
      "sleep_until fetch_add seq_cst",
  };
  EXPECT_EQ(model::orders_needed(programs, "handover.hpp"), needed);
}

}  // namespace
}  // namespace asyncio
