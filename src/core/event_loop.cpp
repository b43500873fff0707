// EventLoop's methods: what users ask of a loop.
// SPDX-License-Identifier: MIT
#include <asyncio/event_loop.hpp>

#include "base/native_stack.hpp"
#include "core/context.hpp"
#include "core/fork.hpp"
#include "core/loop.hpp"
#include "core/report.hpp"
#include "core/traceback.hpp"

#include <string>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {

Loop::Loop(EventLoop& outside, Poller*& world)
    : facade(outside),
      poller(std::exchange(world, nullptr)),
      gate(*new Gate(*poller)),
      forks(forks_so_far()),
      thread(std::this_thread::get_id()) {
  static constinit std::atomic<std::uint64_t> loops_made = 0;
  number = loops_made.fetch_add(1, std::memory_order_relaxed) + 1;
  last_look_ = latest_now = poller->now();
}

Loop::~Loop() {
  close();
  gate.release();
}

void Loop::check_thread(const char* what) const {
  if (!debug || thread == std::this_thread::get_id()) return;
  throw RuntimeError(std::string(what) +
                     ": called from a thread that is not the loop's; use "
                     "call_soon_threadsafe() or run_coroutine_threadsafe()");
}

void Loop::check_open(const char* what) const {
  if (closed) throw RuntimeError(std::string(what) + ": the loop is closed");
  check_process(what);
}

// Every call_soon() and call_later() comes through here.
void Loop::check_fit(const char* what) const {
  if (!closed && !debug && forks == fork_count) [[likely]] return;
  check_open(what);
  check_thread(what);
}

bool Loop::in_forked_child() const noexcept { return forks != fork_count; }

void Loop::check_process(const char* what) const {
  if (in_forked_child()) {
    throw RuntimeError(std::string(what) + ": the loop belongs to the process that made this one "
                       "by fork(); make a new one here, or exec()");
  }
}

void CallbackNode::release() noexcept {
  if (is(posted)) {
    // The last holder needs no atomic subtraction: nobody is left to race with.
    if (__atomic_load_n(&references, __ATOMIC_ACQUIRE) != 1 &&
        __atomic_sub_fetch(&references, 1, __ATOMIC_ACQ_REL) > 0) {
      return;
    }
  } else if (--references > 0) {
    return;
  }
  if (context.word) [[unlikely]] drop_slot(context);
  delete this;
}

void TimedCallback::fire() noexcept { loop->ready.push(*this); }

void throw_not_a_number() {
  throw std::invalid_argument("the duration is not a number (NaN)");
}

}  // namespace detail

using detail::loop_of;

EventLoop::EventLoop(detail::Poller*& poller) : loop_(new detail::Loop(*this, poller)) {}

EventLoop::~EventLoop() {
  loop_->close();
  loop_->gone = true;
  loop_->poller.reset();
  loop_->exception_handler = {};  // errors that are seen by nobody later go to stderr
  loop_->task_factory = {};
  if (loop_->results == 0) delete loop_;
}

EventLoop::Clock::time_point EventLoop::now() const {
  return Clock::time_point(Clock::duration(detail::loop_now(*loop_)));
}
double EventLoop::time() const {
  return std::chrono::duration<double>(now().time_since_epoch()).count();
}

// ---- callbacks

detail::LoopBase& EventLoop::base() const noexcept { return *loop_; }

detail::LoopBase& EventLoop::open_base(const char* what) const {
  loop_->check_fit(what);
  return *loop_;
}

// A loop that does not run may be starting in another thread just now.
bool EventLoop::is_elsewhere() const noexcept {
  return detail::thread_state.loop != loop_ || loop_->closed;
}

namespace {

// Takes a new callback's count; gives it up if the loop cannot take the callback.
template <class Node>
class Given {
 public:
  explicit Given(Node* node) noexcept : node_(node) {}
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;
  ~Given() {
    if (node_) node_->release();
  }
  Node& operator*() const noexcept { return *node_; }
  Node* operator->() const noexcept { return node_; }
  void keep() noexcept { node_ = nullptr; }

 private:
  Node* node_;
};

}  // namespace

Handle EventLoop::push(detail::CallbackNode* node) {
  Given given(node);
  open_base("call_soon");
  node->context = detail::copy_current();
  node->retain();
  given.keep();
  loop_->ready.push(*node);
  return Handle(*node);
}

TimerHandle EventLoop::arm(detail::TimedCallback* node, detail::Ticks when) {
  Given given(node);
  open_base("call_later");
  node->context = detail::copy_current();
  node->when = when;
  detail::arm_timer(*loop_, *node, when);
  node->retain();
  given.keep();
  return TimerHandle(*node);
}

Handle EventLoop::post(detail::PostedCallback* node) {
  Given given(node);
  loop_->check_process("call_soon_threadsafe");
  node->context = detail::copy_current();
  node->references = 2;  // nobody else has it yet: cheaper than an atomic retain()
  Handle handle(*node);
  if (!loop_->gate.post(*node)) {
    throw RuntimeError("call_soon_threadsafe: the loop is closed");
  }
  given.keep();
  return handle;
}

void Handle::cancel() noexcept {
  using Node = detail::CallbackNode;
  if (!node_ || node_->is(Node::cancelled | Node::called)) return;
  node_->set(Node::cancelled);
  // A posted one belongs to the loop's thread, which drops it when its turn comes.
  if (node_->is(Node::posted)) return;
  if (node_->is(Node::timed)) {
    auto& timer = static_cast<detail::TimedCallback&>(*node_);
    if (timer.armed()) {
      detail::disarm_timer(*node_->loop, timer);
      node_->drop_callable();
      node_->release();  // the heap's count; ours is still there
      return;
    }
  }
  node_->drop_callable();
}

EventLoop::Clock::time_point TimerHandle::when() const noexcept {
  const auto* timer = static_cast<const detail::TimedCallback*>(node_);
  return EventLoop::Clock::time_point(EventLoop::Clock::duration(timer ? timer->when : 0));
}

// ---- settings

void EventLoop::set_task_factory(detail::UniqueFunction<void(EventLoop&, AnyTask)> factory) {
  loop_->has_task_factory = static_cast<bool>(factory);
  using Factory = detail::UniqueFunction<void(EventLoop&, AnyTask)>;
  loop_->task_factory = factory ? std::make_shared<Factory>(std::move(factory)) : nullptr;
}
void EventLoop::set_exception_handler(ExceptionHandler handler) noexcept {
  loop_->exception_handler = std::move(handler);
}
ExceptionHandler EventLoop::get_exception_handler() const noexcept {
  return loop_->exception_handler;
}
void EventLoop::default_exception_handler(const ExceptionContext& context) {
  detail::report_by_default(context);
}
void EventLoop::call_exception_handler(const ExceptionContext& context) {
  detail::report(*loop_, context);
}
bool EventLoop::get_debug() const noexcept { return loop_->debug; }
void EventLoop::set_debug(bool debug) noexcept {
  loop_->debug = debug;
  if (detail::thread_state.loop == loop_) detail::note_creations(debug);
}
void EventLoop::set_slow_callback_duration(Clock::duration duration) noexcept {
  loop_->slow_callback = duration.count();
}

// ---- running

void EventLoop::stop() {
  loop_->check_thread("stop");
  loop_->stopping = true;
}

void EventLoop::run_forever() { loop_->run_until_stopped(); }

bool EventLoop::is_running() const noexcept { return loop_->running; }
bool EventLoop::is_closed() const noexcept { return loop_->closed; }
void EventLoop::close() { loop_->close(); }

namespace {

// Stops the loop on the turn after `state` is done, as any done callback would.
struct StopWhenDone final : detail::DoneCallback {
  explicit StopWhenDone(detail::LoopBase& where) : DoneCallback(where) {}
  void call() override { loop_of(*loop).stopping = true; }
  void drop_callable() noexcept override {}
};

}  // namespace

void EventLoop::run_until(detail::ResultState& state) {
  if (state.loop != loop_) {
    throw RuntimeError("run_until_complete: the task or future belongs to another loop");
  }
  const CallbackId id = detail::add_done_callback(state, *new StopWhenDone(*loop_));
  try {
    loop_->run_until_stopped();
  } catch (...) {
    detail::remove_done_callback(state, id);
    throw;
  }
  if (state.is_done()) return;
  detail::remove_done_callback(state, id);
  throw RuntimeError("run_until_complete: stopped before Future completed");
}

// ---- as a guest

int EventLoop::fileno() const {
  loop_->is_guest = true;
  if (!loop_->running && !loop_->closed) loop_->let_host_sleep();
  return loop_->poller->descriptor();
}

std::optional<EventLoop::Clock::time_point> EventLoop::next_deadline() const {
  const detail::Ticks due = loop_->next_due();
  if (due == detail::never) return std::nullopt;
  if (!loop_->ready.empty()) return Clock::time_point(Clock::duration(loop_->latest_now));
  return Clock::time_point(Clock::duration(due));
}

bool EventLoop::run_ready(std::size_t callbacks) {
  loop_->run_as_guest(callbacks);
  const detail::Ticks due = loop_->next_due();
  return due != detail::never && due <= detail::loop_now(*loop_);
}

Hold EventLoop::hold() { return Hold(loop_->gate); }

Hold::Hold(detail::Gate& gate) noexcept : gate_(&gate) { gate.count_out(); }

Hold::~Hold() {
  if (gate_) gate_->count_home();
}

LoopMetrics EventLoop::metrics() const {
  LoopMetrics metrics;
  metrics.turns = loop_->turns;
  metrics.callbacks = loop_->callbacks;
  metrics.tasks_made = loop_->tasks_made;
  metrics.posts = loop_->gate.posts();
  const detail::RaiseCounts raised = detail::raise_counts();
  metrics.raised_directly = raised.direct;
  metrics.raised_by_unwinding = raised.unwound;
  metrics.tasks_alive = loop_->tasks_alive();
  for (auto* node = loop_->ready.first; node; node = node->next) ++metrics.ready;
  metrics.timers = loop_->timers.size();
  metrics.asleep = Clock::duration(loop_->asleep);
  metrics.longest_callback = Clock::duration(loop_->longest_callback);
  return metrics;
}

EventLoop* running_loop() noexcept {
  detail::LoopBase* const loop = detail::thread_state.loop;
  return loop ? &loop_of(*loop).facade : nullptr;
}

EventLoop& get_running_loop() {
  EventLoop* const loop = running_loop();
  if (!loop) {
    throw RuntimeError("get_running_loop: no loop runs in this thread; call it from a coroutine or "
                       "callback");
  }
  return *loop;
}

}  // namespace asyncio::inline v0
