// The memory that C++ promises: what a load may read, who knows of what, and what is a race.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace asyncio::test::model {

using Value = std::uint64_t;
using Time = std::uint32_t;   // of one thread: grows with each of its atomic steps
using Index = std::uint32_t;  // of a store, in the order in which its place was changed
using Thread = std::size_t;   // 0: what is before and after all threads
using PlaceId = std::size_t;
using Order = std::memory_order;

inline constexpr std::size_t most_threads = 6;
inline constexpr std::size_t most_places = 48;
inline constexpr std::size_t most_in_sequence = 256;  // seq_cst operations of one run

/// What a thread knows, and what a store tells whoever acquires it.
struct View {
  std::array<Time, most_threads> happened{};   // of each thread, the last step that happened before
  std::array<std::uint16_t, most_places> oldest{};  // of each place, the oldest store to be read

  void join(const View& other) noexcept;
};

/// Whoever runs the threads: decides what is open, and ends a run that went wrong.
class Fate {
 public:
  /// Less than `count`; 0 is what a machine without caches would do.
  virtual std::size_t choose(std::size_t count) = 0;
  /// `who` and `what` make a sentence.
  [[noreturn]] virtual void fail(const char* who, const char* what) = 0;

 protected:
  ~Fate() = default;
};

/// When a thread did something.
struct Stamp {
  Thread thread = 0;
  Time time = 0;
};

/// Who has touched a plain object, for the search for races.
struct Touches {
  Stamp written;
  std::array<Time, most_threads> read{};
  bool gone = false;
};

/// Atomic objects, each with all that was ever stored in it.
///
/// The model is C++20's, with two restrictions that such checkers have. A load reads what was
/// stored before it in the order in which the steps are tried: no later store of a thread overtakes
/// its load. And that order is the one of a place's stores, too, which says less than C++ allows
/// only where two threads store in one place without read-modify-write. There are no fences: the
/// library has none.
///
///     relaxed   any store that is not older than one known of: known are those that happened
///               before, or were read or written by what happened before
///     acquire   knows what the store's thread knew, if that was a release or heads a sequence of
///               read-modify-writes that goes on from one
///     seq_cst   one order of all of them exists that agrees with happens-before and with the order
///               of each place: kept as a graph, in which a load that would close a circle may not
///               read what closes it
class Memory {
 public:
  explicit Memory(Fate& fate) noexcept : fate_(fate) {}

  /// `moody`: an exchange that compares may fail where it need not.
  void clear(bool moody);
  /// A thread begins or ends, as std::thread and join() have it.
  void begin_thread(Thread parent, Thread child);
  void join_thread(Thread parent, Thread child);

  PlaceId make(Thread me, Value value);
  /// Its destructor. All uses must have happened before.
  void end(Thread me, PlaceId at);
  void name(PlaceId at, const char* name) noexcept { places_[at].name = name; }
  const char* name(PlaceId at) const noexcept { return places_[at].name; }

  /// What a step did, for the trace.
  struct Did {
    Value seen = 0;     // what it read
    Value stored = 0;   // what it left
    Index age = 0;      // how many newer stores there were
    bool changed = false;
  };

  Did load(Thread me, PlaceId at, Order order);
  Did store(Thread me, PlaceId at, Value value, Order order);
  template <class F>
  Did change(Thread me, PlaceId at, Order order, F next) {
    const Value seen = newest(at).value;
    return replace(me, at, next(seen), order);
  }
  struct Exchange {
    Value expected;
    Value desired;
    Order success;
    Order failure;
    bool weak;
  };
  Did compare_exchange(Thread me, PlaceId at, const Exchange& exchange);

  void read(Thread me, Touches& touches);
  void write(Thread me, Touches& touches);
  /// A plain object's destructor.
  void end(Thread me, Touches& touches);

  std::size_t places() const noexcept { return count_; }
  Index stores(PlaceId at) const noexcept { return static_cast<Index>(places_[at].stores.size()); }
  Index last_read(Thread me, PlaceId at) const noexcept { return views_[me].oldest[at]; }
  Value value(PlaceId at) const noexcept { return places_[at].stores.back().value; }
  /// The thread's next load of the place reads the newest store: it has waited for that.
  void refresh(Thread me, PlaceId at) noexcept;
  /// A system call on the place's address. Such calls come one after the other, and the later knows
  /// the place as the earlier did, but nothing else.
  void enter_kernel(Thread me, PlaceId at) noexcept;

 private:
  using Sequence = std::bitset<most_in_sequence>;

  struct Store {
    Value value;
    View message;
  };
  struct InSequence {  // a seq_cst operation at a place
    std::size_t number;
    Index index;  // of the store that it read, or made
    bool wrote;
  };
  struct Place {
    std::vector<Store> stores;
    std::vector<InSequence> in_sequence;
    std::array<Time, most_threads> used{};
    std::uint16_t oldest_in_kernel = 0;
    Stamp made;
    bool gone = false;
    const char* name = nullptr;
  };
  struct Operation {
    Stamp stamp;
    Sequence before;
  };

  Store& newest(PlaceId at) { return places_[at].stores.back(); }
  void use(Thread me, PlaceId at);
  bool knows(Thread me, Stamp stamp) const noexcept {
    return stamp.time <= views_[me].happened[stamp.thread];
  }
  void find_readable(Thread me, PlaceId at, Order order);
  Did read_one(Thread me, PlaceId at, Index index, Order order);
  Did replace(Thread me, PlaceId at, Value value, Order order);
  Sequence sequenced_before(const View& view) const noexcept;
  void put_in_sequence(Thread me, PlaceId at, Index index, bool wrote);
  void step(Thread me) noexcept { ++views_[me].happened[me]; }

  Fate& fate_;
  std::array<View, most_threads> views_;
  std::array<Place, most_places> places_;
  std::size_t count_ = 0;
  std::vector<Operation> operations_;
  std::array<std::vector<std::size_t>, most_threads> operations_of_;
  std::vector<Index> readable_;
  std::array<bool, most_threads> failed_stale_{};
  std::array<bool, most_threads> failed_weak_{};
};

}  // namespace asyncio::test::model
