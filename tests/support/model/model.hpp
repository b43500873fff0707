// Threads in a model: every interleaving of their steps, and every value that a load may read.
// SPDX-License-Identifier: MIT
#pragma once

#include "support/model/memory.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::test::model {

/// True under a sanitizer, where a run takes ten times as long and teaches it little.
extern const bool is_slow;

/// Where code under test calls an atomic operation.
struct Site {
  std::string name;  // "push compare_exchange_weak"
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  Order order = std::memory_order_relaxed;

  bool is_at(const std::source_location& where) const noexcept {
    return line == where.line() && column == where.column();
  }
};

/// What is tried.
struct Search {
  /// At most so many times a thread is interrupted that could go on; none given: every
  /// interleaving, but one of those that differ only in the order of steps that do not see each
  /// other.
  std::optional<int> interruptions = std::nullopt;
  /// Not all of them, but so many at random.
  std::uint64_t random_runs = 0;
  std::uint64_t seed = 1;
  /// A compare_exchange may fail for no reason, or because of an old value: each once a thread.
  bool moody = true;
  /// Gives up after so many, and says so.
  std::uint64_t most_runs = 3'000'000;
  /// Where a weaker order than the code's is taken.
  std::optional<Site> weakened = std::nullopt;
};

/// What came of it.
struct Finding {
  std::string fault;  // empty: there is none
  std::string trace;  // of the run that found it, step by step
  std::uint64_t runs = 0;
  bool all = false;  // every run was tried that the search asks for
  std::vector<Site> sites;

  bool holds() const noexcept { return fault.empty() && all; }
};
std::ostream& operator<<(std::ostream& out, const Finding& finding);

/// One run, as it is set up.
class Run {
 public:
  /// Something for the threads to share. It goes after the run.
  template <class T, class... Args>
  T& make(Args&&... args) {
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    T& object = *made;
    keep(std::move(made));
    return object;
  }
  /// The threads begin when all of them are there. Their bodies own nothing: a run that is given up
  /// calls no destructors on their stacks.
  void thread(const char* name, std::function<void()> body);
  /// What is done once they have ended.
  void afterwards(std::function<void()> body);

 private:
  void keep(std::shared_ptr<void> object);
};

/// Sets a run up: makes what the threads share, and the threads.
using Program = std::function<void(Run&)>;

/// Runs `set_up` and the threads that it makes over and over, until a check fails or all is tried.
/// They share Atomic, Var and Doorbell, and nothing else that changes.
Finding explore(const Search& search, const Program& set_up);

// ---- for the threads

/// Ends the search if it is false.
void check(bool holds, const char* what);
/// Inside of a loop that looks at one atomic object: waits until that has changed.
void yield();
/// One of several things that may happen, less than `count`.
std::size_t choose(std::size_t count);
/// For the traces: what the atomic objects are called that were made last.
void name_last(std::initializer_list<const char*> names);
/// The orders that are weaker than the site's, the weakest first.
std::vector<Order> weaker(const Site& site);
const char* order_name(Order order) noexcept;

namespace detail {

enum class Kind : std::uint8_t {
  load, store, exchange, add, subtract, bit_or, wait, wake, still, yield
};

struct Step {
  Kind kind = Kind::load;
  PlaceId at = 0;
  Value operand = 0;
  Value mask = ~Value{0};
  Order order = std::memory_order_seq_cst;
};

Order order_at(Order wanted, const char* name, const std::source_location& where);
PlaceId make_place(Value value);
void end_place(PlaceId at);
void name_place(PlaceId at, const char* name);
Value take_step(const Step& step);
bool try_exchange(PlaceId at, Value& expected, const Memory::Exchange& exchange);
void read_plain(Touches& touches);
void write_plain(Touches& touches);
void end_plain(Touches& touches);
void set_bell(PlaceId at, bool& rung, bool value);
void wait_for_bell(PlaceId at, const bool& rung);
void futex_wait(PlaceId at, Value seen);
void futex_wake(PlaceId at);
void* allocate(std::size_t size);

}  // namespace detail

/// std::atomic<T>, as far as the library uses it.
template <class T>
class Atomic {
  using Where = std::source_location;
  using Kind = detail::Kind;

 public:
  Atomic() : Atomic(T{}) {}
  Atomic(T value) : at_(detail::make_place(bits(value))) {}  // NOLINT: as std::atomic's
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;
  ~Atomic() { detail::end_place(at_); }

  Atomic& named(const char* name) {
    detail::name_place(at_, name);
    return *this;
  }
  PlaceId place() const noexcept { return at_; }

  T load(Order order = std::memory_order_seq_cst, Where where = Where::current()) const {
    return step(Kind::load, {}, detail::order_at(order, "load", where));
  }
  void store(T value, Order order = std::memory_order_seq_cst, Where where = Where::current()) {
    step(Kind::store, value, detail::order_at(order, "store", where));
  }
  T exchange(T value, Order order = std::memory_order_seq_cst, Where where = Where::current()) {
    return step(Kind::exchange, value,
                detail::order_at(order, "exchange", where));
  }
  T fetch_add(T value, Order order = std::memory_order_seq_cst, Where where = Where::current()) {
    return step(Kind::add, value, detail::order_at(order, "fetch_add", where));
  }
  T fetch_sub(T value, Order order = std::memory_order_seq_cst, Where where = Where::current()) {
    return step(Kind::subtract, value,
                detail::order_at(order, "fetch_sub", where));
  }
  T fetch_or(T value, Order order = std::memory_order_seq_cst, Where where = Where::current()) {
    return step(Kind::bit_or, value, detail::order_at(order, "fetch_or", where));
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure,
                             Where where = Where::current()) {
    const Order order = detail::order_at(success, "compare_exchange_weak", where);
    return try_exchange(expected, desired, order, failure, true);
  }
  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure,
                               Where where = Where::current()) {
    const Order order =
        detail::order_at(success, "compare_exchange_strong", where);
    return try_exchange(expected, desired, order, failure, false);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order,
                               Where where = Where::current()) {
    const Order failure = order == std::memory_order_acq_rel   ? std::memory_order_acquire
                          : order == std::memory_order_release ? std::memory_order_relaxed
                                                               : order;
    return compare_exchange_strong(expected, desired, order, failure, where);
  }

 private:
  static_assert(sizeof(T) <= sizeof(Value) && std::is_trivially_copyable_v<T>);

  static Value bits(T value) noexcept {
    Value all = 0;
    std::memcpy(&all, &value, sizeof value);
    return all;
  }
  static T value_of(Value all) noexcept {
    T value{};
    std::memcpy(&value, &all, sizeof value);
    return value;
  }
  T step(Kind kind, T operand, Order order) const {
    constexpr Value mask = ~Value{0} >> (8 * (sizeof(Value) - sizeof(T)));
    return value_of(detail::take_step({kind, at_, bits(operand), mask, order}));
  }
  bool try_exchange(T& expected, T desired, Order success, Order failure, bool weak) {
    Value seen = bits(expected);
    const bool done =
        detail::try_exchange(at_, seen, {seen, bits(desired), success, failure, weak});
    if (!done) expected = value_of(seen);
    return done;
  }

  const PlaceId at_;
};

/// A plain variable. That two threads use it at once, or use it when it is gone, is a fault.
template <class T>
class Var {
 public:
  Var() = default;
  Var(T value) : value_(value) {}  // NOLINT: as a plain variable's
  Var(const Var&) = delete;
  ~Var() { detail::end_plain(touches_); }

  Var& operator=(const Var& other) { return *this = static_cast<T>(other); }
  Var& operator=(T value) {
    detail::write_plain(touches_);
    value_ = value;
    return *this;
  }
  operator T() const {  // NOLINT: as a plain variable
    detail::read_plain(touches_);
    return value_;
  }

 private:
  T value_{};
  mutable Touches touches_;
};

/// What the kernel wakes a sleeper by: rung, it stays so until somebody makes it still. Nobody who
/// hears it knows by that what happened before.
class Doorbell {
 public:
  Doorbell() : at_(detail::make_place(0)) {}
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  ~Doorbell() { detail::end_place(at_); }
  Doorbell& named(const char* name) {
    detail::name_place(at_, name);
    return *this;
  }

  void ring() { detail::set_bell(at_, rung_, true); }
  void make_still() { detail::set_bell(at_, rung_, false); }
  /// It rings on.
  void wait() { detail::wait_for_bell(at_, rung_); }
  void wait_and_make_still() {
    wait();
    rung_ = false;
  }
  bool rings() const noexcept { return rung_; }

 private:
  const PlaceId at_;
  bool rung_ = false;
};

/// The kernel's futex calls. Nobody is woken without a cause.
inline void futex_wait(Atomic<std::uint32_t>& word, std::uint32_t seen) {
  detail::futex_wait(word.place(), seen);
}
inline void futex_wake_all(Atomic<std::uint32_t>& word) { detail::futex_wake(word.place()); }

/// Base of what code under test deletes: its memory stays until the run is over, so that a use
/// after that is found and does no harm.
struct Deletable {
  static void* operator new(std::size_t size) { return detail::allocate(size); }
  static void operator delete(void*) noexcept {}
};

}  // namespace asyncio::test::model
