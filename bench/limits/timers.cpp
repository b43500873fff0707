// What timers cost: the bare structures, and the two waits that are built on them.
// SPDX-License-Identifier: MIT
// Usage: timers CASE N
#include <algorithm>
#include <cstdint>
#include <vector>

#include "coro.hpp"
#include "harness.hpp"

using measure::Stopwatch;

struct Timer {
  std::uint64_t when = 0;
  std::uint32_t position = 0;  // in the heap
  std::uint32_t slot = 0;      // in the wheel
  Timer* previous = nullptr;
  Timer* next = nullptr;
};

// A 4-ary heap of deadlines; every timer knows its index, so cancelling is a real removal.
class Heap {
 public:
  void insert(Timer* t) {
    entries_.push_back({t->when, t});
    up(entries_.size() - 1, entries_.back());
  }
  void remove(Timer* t) {
    std::size_t i = t->position;
    Entry last = entries_.back();
    entries_.pop_back();
    if (i == entries_.size()) return;
    if (i != 0 && entries_[(i - 1) / arity].when > last.when) {
      up(i, last);
    } else {
      down(i, last);
    }
  }
  Timer* pop() {
    Timer* t = entries_[0].timer;
    remove(t);
    return t;
  }
  Timer* first() const { return entries_.empty() ? nullptr : entries_[0].timer; }

 private:
  struct Entry {
    std::uint64_t when;
    Timer* timer;
  };
  static constexpr std::size_t arity = 4;

  void set(std::size_t i, Entry e) {
    entries_[i] = e;
    e.timer->position = static_cast<std::uint32_t>(i);
  }
  void up(std::size_t i, Entry e) {
    while (i != 0) {
      std::size_t parent = (i - 1) / arity;
      if (entries_[parent].when <= e.when) break;
      set(i, entries_[parent]);
      i = parent;
    }
    set(i, e);
  }
  void down(std::size_t i, Entry e) {
    for (;;) {
      std::size_t first = i * arity + 1;
      if (first >= entries_.size()) break;
      std::size_t least = first;
      std::size_t end = std::min(first + arity, entries_.size());
      for (std::size_t k = first + 1; k < end; k++) {
        if (entries_[k].when < entries_[least].when) least = k;
      }
      if (entries_[least].when >= e.when) break;
      set(i, entries_[least]);
      i = least;
    }
    set(i, e);
  }

  std::vector<Entry> entries_;
};

// Eight levels of 64 slots; a tick is 1024 us. Cheaper to re-arm, and rounds to the tick.
class Wheel {
 public:
  void insert(Timer* t) { link(t, std::max(t->when >> 10, now_)); }
  void remove(Timer* t) {
    if (t->previous != nullptr) {
      t->previous->next = t->next;
    } else {
      slots_[t->slot] = t->next;
      if (t->next == nullptr) used_[t->slot >> 6] &= ~(std::uint64_t{1} << (t->slot & 63));
    }
    if (t->next != nullptr) t->next->previous = t->previous;
  }
  // A timer of the earliest tick; the order within a tick is not kept.
  Timer* pop() {
    for (;;) {
      if (std::uint64_t due = used_[0] & (~std::uint64_t{0} << (now_ & 63))) {
        auto s = static_cast<unsigned>(__builtin_ctzll(due));
        now_ = (now_ & ~std::uint64_t{63}) | s;
        Timer* t = slots_[s];
        remove(t);
        return t;
      }
      spread_next_slot();
    }
  }

 private:
  static constexpr unsigned levels = 8;

  void link(Timer* t, std::uint64_t tick) {
    std::uint64_t differs = tick ^ now_;
    unsigned level = differs != 0 ? (63u - static_cast<unsigned>(__builtin_clzll(differs))) / 6 : 0;
    unsigned s = level * 64 + static_cast<unsigned>((tick >> (level * 6)) & 63);
    t->slot = s;
    t->previous = nullptr;
    t->next = slots_[s];
    if (slots_[s] != nullptr) slots_[s]->previous = t;
    slots_[s] = t;
    used_[level] |= std::uint64_t{1} << (s & 63);
  }
  void spread_next_slot() {
    for (unsigned level = 1; level < levels; level++) {
      auto here = static_cast<unsigned>((now_ >> (level * 6)) & 63);
      std::uint64_t later = used_[level] & (~std::uint64_t{0} << here);
      if (later == 0) continue;
      auto s = static_cast<unsigned>(__builtin_ctzll(later));
      std::uint64_t span = std::uint64_t{1} << (level * 6);
      now_ = (now_ & ~(span * 64 - 1)) | (std::uint64_t{s} * span);
      Timer* t = slots_[level * 64 + s];
      slots_[level * 64 + s] = nullptr;
      used_[level] &= ~(std::uint64_t{1} << s);
      while (t != nullptr) {
        Timer* next = t->next;
        link(t, std::max(t->when >> 10, now_));
        t = next;
      }
      return;
    }
  }

  Timer* slots_[levels * 64] = {};
  std::uint64_t used_[levels] = {};
  std::uint64_t now_ = 0;
};

static std::uint64_t random_below(std::uint64_t limit) {
  static std::uint64_t state = 88172645463325252ull;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % limit;
}

constexpr std::uint64_t second = 1000000;  // of the microseconds that the bare structures count in
constexpr std::uint64_t start_time = second;

// Timers pending at random deadlines within a minute.
template <class Structure>
struct Pending {
  Structure structure;
  std::vector<Timer> timers;
  explicit Pending(std::size_t count) : timers(count) {
    for (Timer& t : timers) {
      t.when = start_time + random_below(60 * second);
      structure.insert(&t);
    }
  }
};

template <class Structure, bool read_clock>
static double arm_and_cancel(Stopwatch& watch, long n) {
  Pending<Structure> pending(100000);
  Timer t;
  watch.start();
  for (long i = 0; i < n; i++) {
    if (read_clock) measure::keep(measure::clock_ns(CLOCK_MONOTONIC));
    t.when = start_time + random_below(60 * second);
    pending.structure.insert(&t);
    pending.structure.remove(&t);
  }
  watch.stop();
  return 0;
}

// A server's timeouts: every operation moves one of the timers to half a minute from now.
template <class Structure, std::size_t count>
static double rearm(Stopwatch& watch, long n) {
  Pending<Structure> pending(count);
  std::uint64_t now = start_time;
  auto some = [&](long rounds) {
    for (long i = 0; i < rounds; i++) {
      Timer* t = &pending.timers[random_below(count)];
      pending.structure.remove(t);
      now += 3;
      t->when = now + 30 * second;
      pending.structure.insert(t);
    }
  };
  some(n);  // leaves the random deadlines behind
  watch.start();
  some(n);
  watch.stop();
  return 0;
}

// Both structures expire timers in the same order of ticks, some of them cancelled before.
template <class Structure>
static bool expires_in_order() {
  Pending<Structure> pending(2000);
  std::vector<std::uint64_t> want;
  for (std::size_t i = 0; i < 1000; i++) pending.structure.remove(&pending.timers[i]);
  for (std::size_t i = 1000; i < 2000; i++) want.push_back(pending.timers[i].when >> 10);
  std::sort(want.begin(), want.end());
  for (std::uint64_t tick : want) {
    if (pending.structure.pop()->when >> 10 != tick) return false;
  }
  return true;
}

static double self_check(Stopwatch& watch, long) {
  watch.start();
  if (!expires_in_order<Heap>() || !expires_in_order<Wheel>()) measure::fail("wrong order");
  watch.stop();
  return 0;
}

static Heap sleepers;

static std::uint64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1000000000 + static_cast<std::uint64_t>(t.tv_nsec);
}

static Symmetric<FreeList> one_turn() {
  co_await Yield{};
  co_return 1;
}

// The parts of a timeout: two frames, the clock, a timer armed and cancelled, one turn.
static Symmetric<FreeList> bounded() {
  Timer t;
  t.when = now_ns() + 10'000'000'000;
  sleepers.insert(&t);
  int x = co_await one_turn();
  sleepers.remove(&t);
  co_return x;
}

static Driver timeout_loop(Stopwatch& watch, long n) {
  int x = 0;
  watch.start();
  for (long i = 0; i < n; i++) x += co_await bounded();
  watch.stop();
  measure::keep(x);
}

struct Sleep : Ready, Timer {
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    handle = h;
    when = now_ns() + 10'000'000;
    sleepers.insert(this);
  }
  void await_resume() {}
};

static Driver sleeper(long& left) {
  co_await Sleep{};
  left--;
}

// As gather does it: start all, let the kernel sleep, run what is due in batches, end all frames.
static double sleepall(Stopwatch& watch, long n) {
  std::vector<std::coroutine_handle<>> frames;
  long left = n;
  double before = measure::resident_bytes();
  watch.start();
  for (long i = 0; i < n; i++) {
    frames.push_back(sleeper(left).handle);
    frames.back().resume();
  }
  while (left > 0) {
    std::uint64_t now = now_ns();
    if (std::uint64_t first = sleepers.first()->when; first > now) {
      timespec pause{0, static_cast<long>(first - now)};
      nanosleep(&pause, nullptr);
      continue;
    }
    while (sleepers.first() != nullptr && sleepers.first()->when <= now) {
      fifo.push(static_cast<Sleep*>(sleepers.pop()));
    }
    fifo.run();
  }
  for (auto frame : frames) frame.destroy();
  watch.stop();
  return (measure::peak_resident_bytes() - before) / double(n);
}

static double timeout(Stopwatch& watch, long n) {
  drive(timeout_loop(watch, n));
  return 0;
}

static const Case cases[] = {
    {"self_check", self_check},
    {"arm_at100k", arm_and_cancel<Heap, false>},
    {"arm100k", arm_and_cancel<Heap, true>},
    {"rearm100k", rearm<Heap, 100000>},
    {"rearm1m", rearm<Heap, 1000000>},
    {"wheel_arm_at100k", arm_and_cancel<Wheel, false>},
    {"wheel_rearm100k", rearm<Wheel, 100000>},
    {"wheel_rearm1m", rearm<Wheel, 1000000>},
    {"timeout", timeout},
    {"sleepall", sleepall, true},
};

int main(int argc, char** argv) { return run_case(cases, argc, argv); }
