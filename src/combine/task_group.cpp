// TaskGroup: who is counted, who is cancelled, and what the group ends with.
// SPDX-License-Identifier: MIT
#include <asyncio/task_group.hpp>

#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/traceback.hpp"

#include <utility>

namespace asyncio::inline v0::detail {

/// A child's place in its group, and in the line of its task: it hears of the end like any done
/// callback, on the turn after.
///
///     held     | registered, not started; held_ is what its task waits at
///     started  | counted in GroupState::running
///     ended    | call() has taken it out of the group, and it dies
struct GroupChild final : DoneCallback {
  // Where a child above the limit waits; cancelled here it ends without having begun.
  struct Held final : Waiter {
    GroupChild* child = nullptr;
    bool cancel(CancelRequest&) noexcept override {
      leave();
      return false;
    }
    void leave() noexcept override { child->held_link.unlink(); }
  };
  struct Link : RingNode {
    GroupChild* child = nullptr;
  };

  explicit GroupChild(LoopBase& where) noexcept : DoneCallback(where) {
    held.child = this;
    link.child = this;
    held_link.child = this;
  }
  void call() override;
  void drop_callable() noexcept override;

  GroupState* group = nullptr;
  TaskState* child_task = nullptr;  // counted
  bool started = false;
  Held held;
  Link link;       // in GroupState::children
  Link held_link;  // in GroupState::waiting
};

struct GroupState {
  // A request that has not been delivered yet counts as one that came later: the scope will see it.
  explicit GroupState(std::size_t most) noexcept
      : limit(most),
        parent(thread_state.task),
        requests_on_entry(parent->is(ResultState::must_cancel) ? 0 : parent->requests) {}

  void start_more() noexcept {
    while (!waiting.alone() && (limit == 0 || running < limit)) {
      GroupChild& child = *static_cast<GroupChild::Link*>(waiting.following)->child;
      child.held_link.unlink();
      start(child);
      make_ready(*child.child_task);
    }
  }
  void start(GroupChild& child) noexcept {
    child.started = true;
    ++running;
  }

  void abort() noexcept {
    aborting = true;
    CancelRequest request({});
    for (RingNode* at = children.following; at != &children; at = at->following) {
      request.add(*static_cast<GroupChild::Link*>(at)->child->child_task);
    }
  }
  void cancel_parent() noexcept {
    parent_cancel_requested = true;
    cancel_task(*parent, {});
  }

  void child_done(GroupChild& child) noexcept;

  const std::size_t limit;
  TaskState* const parent;
  const std::uint32_t requests_on_entry;
  RingNode children;
  RingNode waiting;  // those above the limit
  std::size_t running = 0;
  std::vector<std::exception_ptr> errors;
  std::exception_ptr exit_error;  // KeyboardInterrupt or SystemExit
  bool exiting = false;
  bool finished = false;
  bool aborting = false;
  bool parent_cancel_requested = false;
  struct ChildrenGone* waiter = nullptr;
};

/// co_await: until there are no children; true if the waiter was cancelled.
struct ChildrenGone final : Awaiter, Waiter {
  explicit ChildrenGone(GroupState& of) noexcept : group(of) {}
  bool await_ready() const noexcept { return group.children.alone(); }
  void await_suspend(std::coroutine_handle<> frame) noexcept {
    group.waiter = this;
    stand(*this, frame);
  }
  bool await_resume() noexcept { return task && task->take_cancel(); }
  bool cancel(CancelRequest&) noexcept override {
    leave();
    return false;
  }
  void leave() noexcept override { group.waiter = nullptr; }
  GroupState& group;
};
class UntilChildrenGone {
 public:
  explicit UntilChildrenGone(GroupState& group) noexcept : group_(group) {}
  ChildrenGone operator co_await() && noexcept { return ChildrenGone(group_); }

 private:
  GroupState& group_;
};

void GroupChild::call() {
  if (group) group->child_done(*this);
}

void GroupChild::drop_callable() noexcept {
  link.unlink();
  held_link.unlink();
  group = nullptr;
  if (TaskState* const ended = std::exchange(child_task, nullptr)) ended->release();
}

void GroupState::child_done(GroupChild& child) noexcept {
  TaskState& task = *child.child_task;
  child.link.unlink();
  if (child.started) --running;
  start_more();
  task.set(ResultState::seen);
  if (!task.is_cancelled() && task.error) {
    try {
      errors.push_back(task.error);
    } catch (const std::bad_alloc&) {
      report_unseen_error(task);
    }
    if (is_exit(task.error) && !exit_error) exit_error = task.error;
    // A parent that is cancelled already needs no second request [R48].
    if (!aborting && !parent_cancel_requested) {
      abort();
      cancel_parent();
    }
  }
  if (children.alone() && waiter) make_ready(*std::exchange(waiter, nullptr)->task);
}

// ---- the scope

GroupScope::GroupScope(std::size_t limit) : state_(new GroupState(limit)), group_(*state_) {}

GroupScope::~GroupScope() {
  // Children are left only when the loop is torn down.
  while (!state_->children.alone()) {
    GroupChild& child = *static_cast<GroupChild::Link*>(state_->children.following)->child;
    child.link.unlink();
    child.held_link.unlink();
    child.group = nullptr;
  }
  delete state_;
}

void GroupScope::throw_no_value() {
  throw InvalidStateError("task_group: the group was cancelled before its body had a result");
}

// As asyncio's __aexit__, in its order; but what was counted before the group counts for nothing
// here [R22].
Coro<> GroupScope::exit(std::exception_ptr& body_error) {
  GroupState& state = *state_;
  state.exiting = true;
  const bool body_cancelled = is_cancellation(body_error);
  if (body_error && is_exit(body_error) && !state.exit_error) state.exit_error = body_error;
  bool cancelled = body_cancelled;
  if (body_error && !state.aborting) state.abort();
  while (!state.children.alone()) {
    const bool cut = co_await UntilChildrenGone(state);
    if (!cut) continue;
    cancelled = true;
    if (!state.aborting) state.abort();
  }
  // A request of the group's own is taken back; if there is no other, nobody cancelled us.
  const auto requested_since = [&] { return state.parent->requests > state.requests_on_entry; };
  if (state.parent_cancel_requested) {
    state.parent->uncancel();
    if (!requested_since()) cancelled = false;
  }
  state.finished = true;

  if (state.exit_error) {
    for (std::exception_ptr& error : state.errors) {
      if (error == state.exit_error) continue;
      report(loop_of(*state.parent->loop), "error of a task group that ended by an exit", error,
             nullptr);
    }
    asyncio_raise(give_up(std::move(state.exit_error)));
  }
  if (body_error && !body_cancelled) state.errors.push_back(body_error);
  if (state.errors.empty()) {
    if (cancelled && body_cancelled) asyncio_raise(give_up(std::move(body_error)));
    if (cancelled) raise_cancelled();
    co_return;
  }
  // An outside request that the group's error hides is made again, so that the next await sees it.
  if (requested_since()) {
    state.parent->uncancel();
    cancel_task(*state.parent, {});
  }
  throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(state.errors));
}

}  // namespace asyncio::inline v0::detail

namespace asyncio::inline v0 {

void Started::operator()() const {
  if (!future_.done()) future_.set_result(true);
}

void TaskGroup::check_open() const {
  if (state_.finished || (state_.exiting && state_.children.alone())) {
    throw RuntimeError("TaskGroup::create_task: the group has ended");
  }
  if (state_.aborting) {
    throw RuntimeError("TaskGroup::create_task: the group is being cancelled");
  }
}

detail::GroupChild* TaskGroup::make_child() const {
  return new detail::GroupChild(detail::require_loop());
}

void TaskGroup::drop_child(detail::GroupChild* child) const noexcept { child->release(); }

void TaskGroup::adopt_child(detail::TaskState& task, detail::GroupChild& child,
                            bool eager) const noexcept {
  child.group = &state_;
  child.child_task = &task;
  task.retain();
  state_.children.append(child.link);
  task.add_waiter(child);
  if (state_.limit != 0 && state_.running >= state_.limit) {
    child.held.task = &task;
    task.waiting = &child.held;
    state_.waiting.append(child.held_link);
    return;
  }
  state_.start(child);
  detail::start_task(task, eager);
}

void TaskGroup::cancel() const noexcept {
  if (state_.finished || state_.aborting) return;
  state_.abort();
  if (!state_.parent_cancel_requested) state_.cancel_parent();
}

Future<bool> TaskGroup::new_future() { return get_running_loop().create_future<bool>(); }

namespace detail {

bool StartWatch::takes(const std::exception_ptr& error) const {
  if (future_.done() || is_cancellation(error) || is_exit(error)) return false;
  future_.set_exception(error);
  return true;
}

StartWatch::~StartWatch() {
  if (!future_ || future_.done()) return;
  auto& state = static_cast<FutureOf<bool>&>(HandleAccess::state(future_));
  state.result.emplace(false);
  set_done(state);
}

void throw_not_started() {
  throw RuntimeError("TaskGroup::start: the child ended without calling started()");
}

}  // namespace detail
}  // namespace asyncio::inline v0
