// The order of leaving, for run, close and testing::run.
// SPDX-License-Identifier: MIT
#include "core/context.hpp"
#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/task_text.hpp"

#include <utility>

namespace asyncio::inline v0::detail {
namespace {

// A task that swallows this many cancellations will swallow any number [R73].
constexpr int patience = 100;

// One request for all: a chain of tasks is gone through once, and not once for each of them.
void cancel_each(Loop& loop) noexcept {
  CancelRequest request({});
  for (RingNode* at = loop.tasks.following; at != &loop.tasks; at = at->following) {
    TaskState& task = task_in_ring(*at);
    task.set(ResultState::asked_to_leave);
    request.add(task);
  }
}

// The youngest first: children may refer to what their parents hold.
void destroy_each(Loop& loop) noexcept {
  while (!loop.tasks.alone()) {
    TaskState& task = task_in_ring(*loop.tasks.previous);
    report(loop, "Task was destroyed but it is pending" + made_at(&task), nullptr, &task);
    tear_down(task);
  }
}

void drop_callbacks(Loop& loop) noexcept {
  const Silence silence;
  while (!loop.timers.empty()) {
    TimerNode& timer = loop.timers.first();
    loop.timers.remove(timer);
    if (timer.place.kind != TimerNode::Kind::sleeper) {
      if (TimedCallback* const callback = static_cast<CallTimer&>(timer).as_callback()) {
        callback->drop_callable();
        callback->release();
      }
    }
  }
  for (;;) {
    loop.gate.take(loop.ready);
    ReadyNode* node = loop.ready.take();
    if (!node) break;
    while (node) {
      ReadyNode* const next = node->next;
      if (node->kind == ReadyNode::Kind::callback) {
        auto& callback = static_cast<CallbackNode&>(*node);
        callback.drop_callable();
        callback.release();
      }
      node = next;
    }
  }
}

}  // namespace

void Loop::cancel_all_tasks() {
  if (tasks.alone()) return;
  const RunningLoop scope(*this);
  // Each once; those that are made meanwhile too [R72, R73].
  std::uint64_t asked = 0;
  while (!tasks.alone() && !fatal) {
    if (tasks_made != asked) {
      asked = tasks_made;
      CancelRequest request({});
      for (RingNode* at = tasks.following; at != &tasks; at = at->following) {
        TaskState& task = task_in_ring(*at);
        if (!task.is(ResultState::asked_to_leave)) {
          task.set(ResultState::asked_to_leave);
          request.add(task);
        }
      }
    }
    run_one_turn();
  }
  if (fatal) std::rethrow_exception(std::exchange(fatal, nullptr));
}

void Loop::end_tasks() {
  const RunningLoop scope(*this, RunningLoop::Inside::another);
  for (int unheeded = 0; !tasks.alone() && unheeded < patience;) {
    const std::size_t before = tasks_alive();
    cancel_each(*this);
    // Asked again after a turn, or once as many have run as there are: where 100,000 tasks wait
    // for each other, one ends with each turn.
    const std::uint64_t all_have_run = callbacks + tasks_alive();
    do {
      gate.take(ready);
      run_one_batch();
      fatal = nullptr;
    } while (!tasks.alone() && !ready.empty() && callbacks < all_have_run);
    unheeded = tasks_alive() < before ? 0 : unheeded + 1;
    // Those that wait for something out in the world, a thread's job for example, are not
    // waited for: their cancellation is what ends them.
  }
  thread_state.task = nullptr;
  destroy_each(*this);
}

void Loop::close() {
  if (closed) return;
  if (running) throw RuntimeError("EventLoop::close: the loop is running; stop() it first");
  end_tasks();
  if (join_executor) {
    join_executor(*this);
    end_tasks();  // calls that ended meanwhile may have posted some
  }
  gate.close(!in_forked_child());
  const RunningLoop scope(*this, RunningLoop::Inside::another);
  while (!errands.alone()) static_cast<Errand&>(*errands.following).leave_behind();
  do {
    drop_callbacks(*this);
    destroy_each(*this);  // those that the destructors of captures have made
  } while (!tasks.alone() || !ready.empty() || !timers.empty());
  executor.reset();
  closed = true;
}

}  // namespace asyncio::inline v0::detail
