// The search: who takes the next step, depth first or at random; and the account of a failed run.
// SPDX-License-Identifier: MIT
#include "support/model/fiber.hpp"
#include "support/model/model.hpp"

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <new>
#include <ostream>
#include <random>
#include <sstream>
#include <string_view>

namespace asyncio::test::model {
namespace {

using detail::Kind;
using detail::Step;

const char* const kind_names[] = {"load",     "store", "exchange", "fetch_add", "fetch_sub",
                                  "fetch_or", "wait",  "wake",     "still",     "yield"};
bool is_load(const Step& step) noexcept { return step.kind == Kind::load; }

// What a thread waits for before its step is possible.
struct Condition {
  const bool* until = nullptr;
  std::optional<Index> newer_than;  // of the stores of the step's place
};

struct Actor {
  const char* name = "";
  std::function<void()> body;
  std::unique_ptr<Fiber> fiber;
  bool ended = true;
  Step next;
  Condition condition;
  bool woken = false;      // by futex_wake
  bool in_futex = false;
  PlaceId last_load = 0;
};

struct Taken {
  Thread thread;
  Step step;
  Memory::Did did;
};

class Explorer final : public Fate {
 public:
  Explorer(const Search& search, const Program& set_up)
      : search_(search), set_up_(set_up), memory_(*this) {}
  ~Explorer() { active_ = false; }

  Finding explore();

  std::size_t choose(std::size_t count) override;
  [[noreturn]] void fail(const char* who, const char* what) override;

  // ---- called by the threads

  void add_thread(const char* name, std::function<void()> body);
  void set_afterwards(std::function<void()> body) { afterwards_ = std::move(body); }
  void keep(std::shared_ptr<void> object) { kept_.push_back(std::move(object)); }
  void* allocate(std::size_t size);

  void wait_for_turn(const Step& step, const Condition& condition = {});
  void record(const Step& step, const Memory::Did& did) { taken_.push_back({me_, step, did}); }
  Order order_at(Order wanted, const char* name, const std::source_location& where);

  bool active() const noexcept { return active_; }
  Memory& memory() noexcept { return memory_; }
  Thread me() const noexcept { return me_; }
  Actor& actor() noexcept { return actors_[me_]; }
  Actor& actor(Thread thread) noexcept { return actors_[thread]; }
  std::size_t threads() const noexcept { return count_; }

 private:
  struct Choice {
    std::size_t taken;
    std::size_t count;
  };
  static constexpr std::size_t longest_run = 2000;

  static void live(void* fiber);
  void run_once();
  void run_alone(std::function<void()> body);
  void prepare(Thread thread, std::function<void()> body);
  void go(Thread thread);
  void leave() { Fiber::go(*actors_[me_].fiber, main_); }
  [[noreturn]] void give_up();
  [[noreturn]] void fail_since_all_wait();
  void end_run();
  bool next_path() noexcept;

  bool possible(const Actor& actor) const noexcept;
  /// Who takes the next step; none if the run is over.
  std::optional<Thread> pick();
  Thread pick_any(const std::vector<Thread>& possible_ones);
  Thread pick_at_random(const std::vector<Thread>& possible_ones);
  std::optional<Thread> pick_unseen(const std::vector<Thread>& possible_ones);
  std::string account() const;

  const Search& search_;
  const Program& set_up_;
  Memory memory_;
  Fiber main_;
  std::array<Actor, most_threads> actors_;
  std::size_t count_ = 1;
  std::function<void()> afterwards_;
  std::vector<std::shared_ptr<void>> kept_;
  std::vector<void*> blocks_;

  Thread me_ = 0;
  bool active_ = false;
  bool starting_ = false;
  bool given_up_ = false;  // this run shows nothing new
  std::vector<Choice> path_;
  std::size_t depth_ = 0;
  unsigned asleep_ = 0;  // bits of threads whose next step was tried before, to the same effect
  int interruptions_left_ = 0;
  std::mt19937_64 random_;
  std::vector<Taken> taken_;
  std::vector<Thread> possible_ones_;
  Finding finding_;
};

Explorer* explorer = nullptr;

// ---- a run

Finding Explorer::explore() {
  Explorer* const outer = std::exchange(explorer, this);
  do {
    if (search_.random_runs) random_.seed(search_.seed + finding_.runs);
    run_once();
    ++finding_.runs;
    if (!finding_.fault.empty()) {
      finding_.trace = account();
      end_run();
      break;
    }
    end_run();
    finding_.all = search_.random_runs ? finding_.runs == search_.random_runs : !next_path();
  } while (!finding_.all && finding_.runs < search_.most_runs);
  explorer = outer;
  return std::move(finding_);
}

void Explorer::run_once() {
  memory_.clear(search_.moody);
  taken_.clear();
  depth_ = 0;
  asleep_ = 0;
  interruptions_left_ = search_.interruptions.value_or(0);
  count_ = 1;
  afterwards_ = {};
  given_up_ = false;
  active_ = true;
  run_alone([this] {
    Run run;
    set_up_(run);
  });
  if (given_up_) return;
  starting_ = true;
  for (Thread thread = 1; thread < count_ && !given_up_; ++thread) {
    memory_.begin_thread(0, thread);
    go(thread);
  }
  starting_ = false;
  if (given_up_) return;
  std::optional<Thread> first;
  run_alone([&] { first = pick(); });
  if (first) go(*first);
  if (given_up_) return;
  for (Thread thread = 1; thread < count_; ++thread) memory_.join_thread(0, thread);
  if (afterwards_) run_alone(std::move(afterwards_));
}

void Explorer::run_alone(std::function<void()> body) {
  prepare(0, std::move(body));
  go(0);
}

void Explorer::prepare(Thread thread, std::function<void()> body) {
  Actor& actor = actors_[thread];
  if (!actor.fiber) actor.fiber = std::make_unique<Fiber>(&Explorer::live, &actor);
  else if (!actor.ended) actor.fiber->restart();
  actor.body = std::move(body);
  actor.ended = false;
  actor.in_futex = false;
}

// A fiber lives through many runs, as long as each comes to its end.
void Explorer::live(void* self) {
  Actor& actor = *static_cast<Actor*>(self);
  for (;;) {
    actor.body();
    actor.ended = true;
    Explorer& all = *explorer;
    std::optional<Thread> next;
    if (all.me_ != 0 && !all.starting_) next = all.pick();
    if (next) {
      all.me_ = *next;
      Fiber::go(*actor.fiber, *all.actors_[*next].fiber);
    } else {
      Fiber::go(*actor.fiber, all.main_);
    }
  }
}

void Explorer::go(Thread thread) {
  me_ = thread;
  Fiber::go(main_, *actors_[thread].fiber);
}

void Explorer::end_run() {
  active_ = false;
  kept_.clear();
  for (void* block : blocks_) ::operator delete(block, std::align_val_t{64});
  blocks_.clear();
}

bool Explorer::next_path() noexcept {
  while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().taken;
  return true;
}

void Explorer::add_thread(const char* name, std::function<void()> body) {
  if (count_ == most_threads) fail("the model", "has too few threads");
  prepare(count_, std::move(body));
  actors_[count_++].name = name;
}

void* Explorer::allocate(std::size_t size) {
  blocks_.push_back(::operator new(size, std::align_val_t{64}));
  return blocks_.back();
}

// Nothing on the stack of who fails may own memory.
void Explorer::fail(const char* who, const char* what) {
  finding_.fault = who;
  finding_.fault += *who ? " " : "";
  finding_.fault += what;
  give_up();
}

void Explorer::fail_since_all_wait() {
  finding_.fault = "waits for ever:";
  for (Thread thread = 1; thread < count_; ++thread) {
    if (actors_[thread].ended) continue;
    finding_.fault += " ";
    finding_.fault += actors_[thread].name;
  }
  give_up();
}

void Explorer::give_up() {
  given_up_ = true;
  leave();
  std::abort();
}

// ---- choices

std::size_t Explorer::choose(std::size_t count) {
  if (count == 1) return 0;
  if (search_.random_runs) return random_() % 2 ? 0 : random_() % count;
  if (depth_ == path_.size()) path_.push_back({0, count});
  if (path_[depth_].count != count) fail("the threads", "do not do the same again: what changes?");
  return path_[depth_++].taken;
}

bool Explorer::possible(const Actor& actor) const noexcept {
  if (actor.ended) return false;
  const Condition& condition = actor.condition;
  if (condition.until) return *condition.until;
  return !condition.newer_than || memory_.stores(actor.next.at) - 1 > *condition.newer_than;
}

std::optional<Thread> Explorer::pick() {
  if (taken_.size() > longest_run) fail("the threads", "go on for ever");
  possible_ones_.clear();
  if (possible(actors_[me_]) && me_ != 0) possible_ones_.push_back(me_);
  bool all_ended = true;
  for (Thread thread = 1; thread < count_; ++thread) {
    all_ended = all_ended && actors_[thread].ended;
    if (thread != me_ && possible(actors_[thread])) possible_ones_.push_back(thread);
  }
  if (all_ended) return {};
  if (possible_ones_.empty()) fail_since_all_wait();
  if (search_.random_runs) return pick_at_random(possible_ones_);
  if (search_.interruptions) return pick_any(possible_ones_);
  return pick_unseen(possible_ones_);
}

Thread Explorer::pick_any(const std::vector<Thread>& possible_ones) {
  const bool goes_on = possible_ones.front() == me_;
  if (goes_on && interruptions_left_ == 0) return me_;
  const Thread next = possible_ones[choose(possible_ones.size())];
  if (goes_on && next != me_) --interruptions_left_;
  return next;
}

Thread Explorer::pick_at_random(const std::vector<Thread>& possible_ones) {
  const bool goes_on = possible_ones.front() == me_;
  if (goes_on && random_() % 3 != 0) return me_;
  return possible_ones[random_() % possible_ones.size()];
}

// Sleep sets (Godefroid 1996): after all that begins with one thread's step was tried, that thread
// sleeps in the other branches, until somebody takes a step at the same place. A load wakes nobody:
// what it reads before somebody's store it may also read after it. So those who store come first.
std::optional<Thread> Explorer::pick_unseen(const std::vector<Thread>& possible_ones) {
  std::array<Thread, most_threads> unseen{};
  std::size_t count = 0;
  for (const bool loads : {false, true}) {
    for (const Thread thread : possible_ones) {
      if (asleep_ & (1u << thread) || is_load(actors_[thread].next) != loads) continue;
      unseen[count++] = thread;
    }
  }
  if (count == 0) {
    given_up_ = true;
    return {};
  }
  const std::size_t choice = choose(count);
  const Thread next = unseen[choice];
  for (std::size_t i = 0; i < choice; ++i) asleep_ |= 1u << unseen[i];
  const Step& step = actors_[next].next;
  for (Thread thread = 1; thread < count_ && !is_load(step); ++thread) {
    if (actors_[thread].next.at == step.at) asleep_ &= ~(1u << thread);
  }
  return next;
}

// ---- a step

void Explorer::wait_for_turn(const Step& step, const Condition& condition) {
  Actor& actor = actors_[me_];
  actor.next = step;
  actor.condition = condition;
  if (me_ == 0) {
    if (!possible(actor)) fail("waits for ever", "alone");
    return;
  }
  if (starting_) {
    leave();
    return;
  }
  const Thread me = me_;
  const std::optional<Thread> next = pick();
  if (!next) {
    leave();
    return;
  }
  if (*next == me) return;
  me_ = *next;
  Fiber::go(*actor.fiber, *actors_[*next].fiber);
}

std::string name_of_site(const std::source_location& where, const char* operation) {
  const std::string_view full = where.function_name();
  const std::string_view head = full.substr(0, full.find('('));
  std::size_t begin = head.find_last_of(" :*&");
  begin = begin == std::string_view::npos ? 0 : begin + 1;
  return std::string(head.substr(begin)) + " " + operation;
}

Order Explorer::order_at(Order wanted, const char* name, const std::source_location& where) {
  if (wanted == std::memory_order_relaxed) return wanted;
  if (search_.weakened && search_.weakened->is_at(where)) return search_.weakened->order;
  for (const Site& site : finding_.sites) {
    if (site.is_at(where)) return wanted;
  }
  finding_.sites.push_back(
      {name_of_site(where, name), where.file_name(), where.line(), where.column(), wanted});
  return wanted;
}

std::string Explorer::account() const {
  std::ostringstream out;
  for (const Taken& taken : taken_) {
    const Step& step = taken.step;
    out << "  " << std::left << std::setw(10)
        << (taken.thread == 0 ? "(alone)" : actors_[taken.thread].name) << std::setw(14)
        << memory_.name(step.at) << std::setw(10) << kind_names[static_cast<int>(step.kind)];
    if (step.kind < Kind::wait) {
      out << std::setw(8) << order_name(step.order) << std::hex << " 0x" << taken.did.seen;
      if (taken.did.changed) out << " -> 0x" << taken.did.stored;
      out << std::dec;
      if (taken.did.age) out << "  (" << taken.did.age << " newer)";
    }
    out << '\n';
  }
  if (search_.random_runs) {
    out << "  seed " << search_.seed + finding_.runs - 1 << '\n';
  } else {
    out << "  choices";
    for (std::size_t i = 0; i < depth_ && i < path_.size(); ++i) out << ' ' << path_[i].taken;
    out << '\n';
  }
  return std::move(out).str();
}

}  // namespace

// ---- the doors

Finding explore(const Search& search, const Program& set_up) {
  Explorer one(search, set_up);
  return one.explore();
}

std::ostream& operator<<(std::ostream& out, const Finding& finding) {
  out << finding.runs << " runs" << (finding.all ? "" : ", not all") << '\n';
  if (!finding.fault.empty()) out << "fault: " << finding.fault << '\n' << finding.trace;
  return out;
}

void Run::thread(const char* name, std::function<void()> body) {
  explorer->add_thread(name, std::move(body));
}
void Run::afterwards(std::function<void()> body) { explorer->set_afterwards(std::move(body)); }
void Run::keep(std::shared_ptr<void> object) { explorer->keep(std::move(object)); }

void check(bool holds, const char* what) {
  if (!holds) explorer->fail("", what);
}

std::size_t choose(std::size_t count) { return explorer->choose(count); }

void name_last(std::initializer_list<const char*> names) {
  Memory& memory = explorer->memory();
  PlaceId at = memory.places() - names.size();
  for (const char* name : names) memory.name(at++, name);
}

const char* order_name(Order order) noexcept {
  switch (order) {
    case std::memory_order_relaxed: return "relaxed";
    case std::memory_order_release: return "release";
    case std::memory_order_acq_rel: return "acq_rel";
    case std::memory_order_seq_cst: return "seq_cst";
    default: return "acquire";
  }
}

std::vector<Order> weaker(const Site& site) {
  std::vector<Order> orders;
  const bool loads = site.name.ends_with(" load");
  const bool stores = site.name.ends_with(" store");
  const bool strongest = site.order == std::memory_order_seq_cst;
  if (site.order == std::memory_order_relaxed) return orders;
  orders.push_back(std::memory_order_relaxed);
  const bool both = strongest || site.order == std::memory_order_acq_rel;
  if (both && !stores) orders.push_back(std::memory_order_acquire);
  if (both && !loads) orders.push_back(std::memory_order_release);
  if (strongest && !loads && !stores) orders.push_back(std::memory_order_acq_rel);
  return orders;
}

void yield() {
  Actor& actor = explorer->actor();
  Memory& memory = explorer->memory();
  const PlaceId at = actor.last_load;
  const Step step{Kind::yield, at};
  Condition condition;
  condition.newer_than = memory.last_read(explorer->me(), at);
  explorer->wait_for_turn(step, condition);
  explorer->record(step, {});
  memory.refresh(explorer->me(), at);
}

namespace detail {

Order order_at(Order wanted, const char* name, const std::source_location& where) {
  return explorer ? explorer->order_at(wanted, name, where) : wanted;
}

PlaceId make_place(Value value) { return explorer->memory().make(explorer->me(), value); }
void end_place(PlaceId at) {
  if (explorer && explorer->active()) explorer->memory().end(explorer->me(), at);
}
void name_place(PlaceId at, const char* name) { explorer->memory().name(at, name); }

Value take_step(const Step& step) {
  explorer->wait_for_turn(step);
  Memory& memory = explorer->memory();
  const Thread me = explorer->me();
  Memory::Did did;
  switch (step.kind) {
    case Kind::load:
      explorer->actor().last_load = step.at;
      did = memory.load(me, step.at, step.order);
      break;
    case Kind::store: did = memory.store(me, step.at, step.operand, step.order); break;
    default:
      did = memory.change(me, step.at, step.order, [&step](Value seen) {
        switch (step.kind) {
          case Kind::add: return (seen + step.operand) & step.mask;
          case Kind::subtract: return (seen - step.operand) & step.mask;
          case Kind::bit_or: return seen | step.operand;
          default: return step.operand;
        }
      });
  }
  explorer->record(step, did);
  return did.seen;
}

bool try_exchange(PlaceId at, Value& expected, const Memory::Exchange& exchange) {
  const Step step{Kind::exchange, at, exchange.desired, ~Value{0}, exchange.success};
  explorer->wait_for_turn(step);
  const Memory::Did did = explorer->memory().compare_exchange(explorer->me(), at, exchange);
  explorer->record(step, did);
  if (!did.changed) expected = did.seen;
  return did.changed;
}

void read_plain(Touches& touches) {
  if (explorer && explorer->active()) explorer->memory().read(explorer->me(), touches);
}
void write_plain(Touches& touches) {
  if (explorer && explorer->active()) explorer->memory().write(explorer->me(), touches);
}
void end_plain(Touches& touches) {
  if (explorer && explorer->active()) explorer->memory().end(explorer->me(), touches);
}

void set_bell(PlaceId at, bool& rung, bool value) {
  const Step step{value ? Kind::wake : Kind::still, at};
  explorer->wait_for_turn(step);
  explorer->record(step, {});
  rung = value;
}

void wait_for_bell(PlaceId at, const bool& rung) {
  const Step step{Kind::wait, at};
  Condition condition;
  condition.until = &rung;
  explorer->wait_for_turn(step, condition);
  explorer->record(step, {});
}

void futex_wait(PlaceId at, Value seen) {
  const Step looks{Kind::wait, at};
  explorer->wait_for_turn(looks);
  explorer->memory().enter_kernel(explorer->me(), at);
  const Memory::Did did = explorer->memory().load(explorer->me(), at, std::memory_order_seq_cst);
  explorer->record(looks, did);
  if (did.seen != seen) return;
  Actor& actor = explorer->actor();
  actor.in_futex = true;
  actor.woken = false;
  Condition condition;
  condition.until = &actor.woken;
  explorer->wait_for_turn(looks, condition);
}

void futex_wake(PlaceId at) {
  const Step step{Kind::wake, at};
  explorer->wait_for_turn(step);
  explorer->memory().enter_kernel(explorer->me(), at);
  explorer->record(step, {});
  for (Thread thread = 1; thread < explorer->threads(); ++thread) {
    Actor& actor = explorer->actor(thread);
    if (actor.in_futex && actor.next.at == at) {
      actor.in_futex = false;
      actor.woken = true;
    }
  }
}

void* allocate(std::size_t size) { return explorer->allocate(size); }

}  // namespace detail

}  // namespace asyncio::test::model
