// One turn of the loop, top to bottom.
// SPDX-License-Identifier: MIT
#include "core/loop.hpp"

#include <asyncio/sleep.hpp>

#include "base/native_stack.hpp"
#include "core/context.hpp"
#include "core/report.hpp"
#include "core/step.hpp"
#include "core/task_text.hpp"

#include <string>
#include <utility>
#include <vector>

namespace asyncio::inline v0::detail {

// ---- a turn

void Loop::run_one_turn() { turn(); }

void Loop::turn() {
  if (time_to_look()) [[unlikely]] look();  // nothing is ready, or the turns are up [R2]
  if (attention) [[unlikely]] attend();
  run_what_is_ready();  // what these make ready belongs to the next turn [R2]
}

void Loop::run_one_batch() { run_what_is_ready(); }

void Loop::look() {
  if (forked) [[unlikely]] return;  // the world is the parent's
  gate.take(ready);
  sleep_or_look();
  take_due_timers(poller->now());
}

bool Loop::time_to_look() noexcept {
  turns = turns + 1;
  return ready.empty() || --turns_until_look_ <= 0;
}

void Loop::sleep_or_look() {
  const bool idle = ready.empty() && !stopping && !attention;
  if (!idle || !gate.begin_sleep()) {
    poller->wait(-never, ready);
  } else {
    const Ticks before = poller->now();
    poller->wait(timers.first_deadline(), ready);
    asleep += poller->now() - before;
    gate.end_sleep();
  }
  gate.take(ready);
}

void Loop::take_due_timers(Ticks now) noexcept {
  latest_now = now;
  plan_next_look(now);
  while (timers.first_deadline() <= now && !timers.empty()) {
    if (director) [[unlikely]] take_first_as_directed();
    else take(timers.first());
  }
}

void Loop::take(TimerNode& timer) noexcept {
  if (timer.place.kind == TimerNode::Kind::postponed) {
    timer.place.kind = TimerNode::Kind::call;
    timers.move(timer, static_cast<CallTimer&>(timer).postponement());
    return;
  }
  timers.remove(timer);
  if (timer.place.kind == TimerNode::Kind::sleeper) {
    make_ready(*static_cast<SleepAwaiter&>(timer).task);
  } else {
    static_cast<CallTimer&>(timer).fire();
  }
}

// What fires only makes things ready: none of these timers is disarmed meanwhile.
void Loop::take_first_as_directed() {
  std::vector<TimerNode*> due = timers.all_first();
  director->arrange(due);
  for (TimerNode* timer : due) take(*timer);
}

// A look costs a system call and a reading of the clock, 200 ns, as much as twenty turns with one
// small task; looking every 50 us at most costs 0.4 % and delays nothing noticeably.
void Loop::plan_next_look(Ticks now) noexcept {
  constexpr Ticks between_looks = 50'000;
  constexpr int most = 64;
  const Ticks spent = now - std::exchange(last_look_, now);
  const auto done = static_cast<Ticks>(turns - std::exchange(turns_at_look_, turns));
  if (poller->is_virtual() || spent <= 0 || done == 0) {
    turns_until_look_ = poller->is_virtual() ? 1 : most;
    return;
  }
  const Ticks fit = between_looks * done / spent;
  turns_until_look_ = fit < 1 ? 1 : fit > most ? most : static_cast<int>(fit);
}

void Loop::run_what_is_ready() {
  if (debug || director) [[unlikely]] run_with_care();
  else run_batch(ready.take(), all, false);
}

void Loop::run_with_care() {
  ReadyNode* batch = ready.take();
  if (director) batch = director->arrange(batch);
  run_batch(batch, all, true);
  if (director) director->before(nullptr);
}

void Loop::run_batch(ReadyNode* batch, std::size_t limit, bool watched) {
  std::size_t left = limit;
  while (batch && left > 0) {
    if (attention) [[unlikely]] {
      attend();
      if (fatal) break;
    }
    ReadyNode& node = *batch;
    batch = node.next;
    if (watched) [[unlikely]] run_watched(node);
    else run(node);
    --left;
  }
  callbacks += limit - left;
  if (batch) [[unlikely]] give_back(batch);
}

void Loop::attend() {
  attention = 0;
  if (std::exchange(forked, false)) {
    try {
      check_process("run");
    } catch (...) {
      end_with(std::current_exception());
    }
  }
  if (interrupted) {
    interrupted = 0;
    if (on_interrupt) on_interrupt();
  }
}

void Loop::end_with(std::exception_ptr error) noexcept {
  if (!fatal) fatal = std::move(error);
  attention = 1;
}

void Loop::leave_to_parent() noexcept {
  forked = true;
  attention = 1;
}

// What was cut off runs first when the loop goes on.
void Loop::give_back(ReadyNode* batch) noexcept {
  ReadyNode* const added = ready.take();
  for (ReadyNode* node : {batch, added}) {
    while (node) {
      ReadyNode* const next = node->next;
      ready.push(*node);
      node = next;
    }
  }
}

void Loop::run(ReadyNode& node) noexcept {
  if (node.kind == ReadyNode::Kind::task) [[likely]] step(static_cast<TaskState&>(node));
  else call(static_cast<CallbackNode&>(node));
}

void Loop::call(CallbackNode& node) noexcept {
  if (!node.is(CallbackNode::cancelled)) {
    node.set(CallbackNode::called);
    thread_state.context = &node.context;
    try {
      node.call();
    } catch (const KeyboardInterrupt&) {
      end_with(std::current_exception());
    } catch (const SystemExit&) {
      end_with(std::current_exception());
    } catch (...) {
      try {
        ExceptionContext context;
        context.message = "Exception in callback";
        context.exception = std::current_exception();
        node.retain();
        const Handle handle(node);
        context.handle = &handle;
        report(*this, context);
      } catch (...) {
      }
    }
    thread_state.context = nullptr;
  }
  node.drop_callable();
  node.release();
}

// Debug mode: says which callback held the loop up [R84].
void Loop::run_watched(ReadyNode& node) noexcept {
  if (director) director->before(&node);
  if (!debug) return run(node);
  std::string name = "a callback";
  try {
    if (node.kind == ReadyNode::Kind::task) name = task_name(static_cast<TaskState&>(node));
  } catch (...) {
  }
  const Ticks before = poller->now();
  run(node);
  const Ticks spent = poller->now() - before;
  if (spent > longest_callback) longest_callback = spent;
  if (spent < slow_callback) return;
  try {
    report(*this,
           "Executing " + name + " took " + std::to_string(static_cast<double>(spent) * 1e-9) +
               " seconds",
           nullptr);
  } catch (...) {
  }
}

// ---- running

void Loop::run_until_stopped() {
  const RunningLoop scope(*this);
  try {
    do {
      turn();
    } while (!stopping && !fatal);
  } catch (...) {
    stopping = false;
    throw;
  }
  stopping = false;
  if (fatal) std::rethrow_exception(std::exchange(fatal, nullptr));
}

void Loop::run_as_guest(std::size_t limit) {
  const RunningLoop scope(*this);
  is_guest = true;
  gate.take(ready);
  poller->wait(-never, ready);
  take_due_timers(poller->now());
  turns = turns + 1;
  run_batch(ready.take(), limit, debug);
  if (fatal) std::rethrow_exception(std::exchange(fatal, nullptr));
}

void Loop::let_host_sleep() noexcept {
  if (ready.empty() && !gate.begin_sleep()) gate.take(ready);
}

RunningLoop::RunningLoop(Loop& loop, Inside inside) : loop_(loop), outer_(thread_state) {
  if (inside == Inside::nothing) loop.check_open("run");
  if (loop.running) throw RuntimeError("run: this loop is already running");
  if (inside == Inside::nothing && running_here()) {
    throw RuntimeError("run: another loop runs in this thread already; await the coroutine, or "
                       "give it to create_task()");
  }
  loop.running = true;
  if (loop.is_guest) loop.gate.end_sleep();
  // Written only when it changes: others may read it, to post.
  if (const auto here = std::this_thread::get_id(); loop.thread != here) loop.thread = here;
  thread_state = ThreadState{};
  thread_state.loop = &loop;
  noted_before_ = note_creations(loop.debug);
}

RunningLoop::~RunningLoop() {
  note_creations(noted_before_);
  thread_state = outer_;
  loop_.running = false;
  if (loop_.is_guest && !loop_.closed) loop_.let_host_sleep();
}

// ---- timers

Ticks loop_now(const LoopBase& base) noexcept {
  const Loop& loop = loop_of(base);
  return loop.latest_now = loop.poller->now();
}

void arm_timer(LoopBase& base, TimerNode& timer, Ticks when) {
  Loop& loop = loop_of(base);
  loop.timers.insert(timer, when);
  if (when <= loop.latest_now) loop.look_next_turn();
}

void disarm_timer(LoopBase& loop, TimerNode& timer) noexcept {
  if (timer.armed()) loop_of(loop).timers.remove(timer);
}

}  // namespace asyncio::inline v0::detail
