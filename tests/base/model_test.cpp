// The model of threads: it finds what C++ allows, nothing that it forbids, and what goes wrong.
// SPDX-License-Identifier: MIT
#include "support/model/model.hpp"

#include "support/async_test.hpp"

#include <set>

namespace asyncio {
namespace {

using test::model::Atomic;
using test::model::explore;
using test::model::Finding;
using test::model::Run;
using test::model::Var;
namespace model = test::model;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

// What the threads of the litmus tests share, and what each has read.
struct Shared {
  Atomic<int> x{0};
  Atomic<int> y{0};
  Atomic<int> z{0};
  int seen[4] = {-1, -1, -1, -1};
};
using Body = void (*)(Shared&);
using Outcomes = std::set<std::string>;

// What can come of the threads, each in the digits that they have read.
Outcomes outcomes(std::vector<Body> bodies, const model::Search& search = {}) {
  Outcomes all;
  const Finding found = explore(search, [&](Run& run) {
    Shared& shared = run.make<Shared>();
    for (const Body body : bodies) run.thread("thread", [&shared, body] { body(shared); });
    run.afterwards([&] {
      std::string outcome;
      for (const int digit : shared.seen) {
        if (digit >= 0) outcome += std::to_string(digit);
      }
      all.insert(outcome);
    });
  });
  if (!found.holds()) all.insert(found.fault);
  return all;
}

// ---- what C++ allows

template <std::memory_order write, std::memory_order read>
Outcomes store_buffering() {
  return outcomes({[](Shared& s) {
                     s.x.store(1, write);
                     s.seen[0] = s.y.load(read);
                   },
                   [](Shared& s) {
                     s.y.store(1, write);
                     s.seen[1] = s.x.load(read);
                   }});
}

SYNC_TEST(Model, "two threads that write, then read each other: both see nothing but in seq_cst") {
  EXPECT_EQ((store_buffering<relaxed, relaxed>()), (Outcomes{"00", "01", "10", "11"}));
  EXPECT_EQ((store_buffering<release, acquire>()), (Outcomes{"00", "01", "10", "11"}));
  EXPECT_EQ((store_buffering<seq_cst, acquire>()), (Outcomes{"00", "01", "10", "11"}));
  EXPECT_EQ((store_buffering<release, seq_cst>()), (Outcomes{"00", "01", "10", "11"}));
  EXPECT_EQ((store_buffering<seq_cst, seq_cst>()), (Outcomes{"01", "10", "11"}));
}

template <std::memory_order write, std::memory_order read>
Outcomes message_passing() {
  return outcomes({[](Shared& s) {
                     s.x.store(1, relaxed);
                     s.y.store(1, write);
                   },
                   [](Shared& s) {
                     s.seen[0] = s.y.load(read);
                     s.seen[1] = s.x.load(relaxed);
                   }});
}

SYNC_TEST(Model, "a message comes with what was written before it by release and acquire only") {
  EXPECT_EQ((message_passing<relaxed, acquire>()), (Outcomes{"00", "01", "10", "11"}));
  EXPECT_EQ((message_passing<release, relaxed>()), (Outcomes{"00", "01", "10", "11"}));
  EXPECT_EQ((message_passing<release, acquire>()), (Outcomes{"00", "01", "11"}));
}

SYNC_TEST(Model, "a message goes on through read-modify-writes of others, whatever their order") {
  EXPECT_EQ(outcomes({[](Shared& s) {
                        s.x.store(1, relaxed);
                        s.y.store(1, release);
                      },
                      [](Shared& s) { s.y.fetch_add(1, relaxed); },
                      [](Shared& s) {
                        if (s.y.load(acquire) == 2) s.seen[0] = s.x.load(relaxed);
                      }}),
            (Outcomes{"", "1"}));
  // A plain store ends the sequence.
  EXPECT_TRUE(outcomes({[](Shared& s) {
                          s.x.store(1, relaxed);
                          s.y.store(1, release);
                          s.y.store(2, relaxed);
                        },
                        [](Shared& s) {
                          if (s.y.load(acquire) == 2) s.seen[0] = s.x.load(relaxed);
                        }})
                  .contains("0"));
}

SYNC_TEST(Model, "one who was told by another who was told knows, too") {
  EXPECT_EQ(outcomes({[](Shared& s) { s.x.store(1, relaxed); },
                      [](Shared& s) {
                        if (s.x.load(relaxed) == 1) s.y.store(1, release);
                      },
                      [](Shared& s) {
                        if (s.y.load(acquire) == 1) s.seen[0] = s.x.load(relaxed);
                      }}),
            (Outcomes{"", "1"}));
}

SYNC_TEST(Model, "a thread never reads something older than it has read") {
  const Outcomes all = outcomes({[](Shared& s) {
                                   s.x.store(1, relaxed);
                                   s.x.store(2, relaxed);
                                 },
                                 [](Shared& s) {
                                   s.seen[0] = s.x.load(relaxed);
                                   s.seen[1] = s.x.load(relaxed);
                                 }});
  EXPECT_EQ(all, (Outcomes{"00", "01", "02", "11", "12", "22"}));
}

template <std::memory_order read>
Outcomes two_readers_of_two_writers() {
  return outcomes({[](Shared& s) { s.x.store(1, seq_cst); },
                   [](Shared& s) { s.y.store(1, seq_cst); },
                   [](Shared& s) {
                     s.seen[0] = s.x.load(read);
                     s.seen[1] = s.y.load(read);
                   },
                   [](Shared& s) {
                     s.seen[2] = s.y.load(read);
                     s.seen[3] = s.x.load(read);
                   }});
}

SYNC_TEST(Model, "two readers agree on the order of two writers in seq_cst only") {
  EXPECT_TRUE(two_readers_of_two_writers<acquire>().contains("1010"));
  const Outcomes agreed = two_readers_of_two_writers<seq_cst>();
  EXPECT_FALSE(agreed.contains("1010"));
  EXPECT_EQ(agreed.size(), 15u);
}

// As on ARM, where a later relaxed operation overtakes a store that is sequentially consistent.
SYNC_TEST(Model, "a seq_cst store does not order a later relaxed one for others") {
  const auto told_by = [](Body writer) {
    return outcomes({writer, [](Shared& s) {
                       if (s.y.load(seq_cst) == 1) s.seen[0] = s.x.load(seq_cst);
                     }});
  };
  EXPECT_EQ(told_by([](Shared& s) {
              s.x.store(1, seq_cst);
              s.y.fetch_add(1, relaxed);
            }),
            (Outcomes{"", "0", "1"}));
  EXPECT_EQ(told_by([](Shared& s) {
              s.x.store(1, seq_cst);
              s.y.fetch_add(1, release);
            }),
            (Outcomes{"", "1"}));
}

SYNC_TEST(Model, "a read-modify-write reads the newest; one that may fail is seen to fail") {
  const Body count = [](Shared& s) { s.x.fetch_add(1, relaxed); };
  const Body count_and_look = [](Shared& s) { s.seen[0] = s.x.fetch_add(1, relaxed); };
  EXPECT_EQ(outcomes({count, count, count_and_look}), (Outcomes{"0", "1", "2"}));
  EXPECT_EQ(outcomes({[](Shared& s) {
              int zero = 0;
              s.seen[0] = s.x.compare_exchange_weak(zero, 1, relaxed, relaxed) ? 1 : 0;
            }}),
            (Outcomes{"0", "1"}));
  EXPECT_EQ(outcomes({[](Shared& s) {
              int zero = 0;
              s.seen[0] = s.x.compare_exchange_strong(zero, 1, relaxed, relaxed) ? 1 : 0;
            }}),
            (Outcomes{"1"}));
}

SYNC_TEST(Model, "finds the same depth first, with few interruptions and at random") {
  const std::vector<Body> bodies = {[](Shared& s) {
                                      s.x.store(1, relaxed);
                                      s.x.store(2, release);
                                      s.seen[0] = s.y.load(acquire);
                                    },
                                    [](Shared& s) {
                                      s.y.store(1, relaxed);
                                      s.y.store(2, release);
                                      s.seen[1] = s.x.load(acquire);
                                    }};
  const Outcomes all = outcomes(bodies);
  EXPECT_EQ(all.size(), 9u);
  EXPECT_EQ(outcomes(bodies, {.interruptions = 4}), all);
  EXPECT_EQ(outcomes(bodies, {.random_runs = 2000}), all);
}

// ---- what goes wrong

template <std::memory_order write, std::memory_order read>
Finding hand_over() {
  struct World {
    Atomic<bool> there{false};
    Var<int> goods{0};
  };
  return explore({}, [](Run& run) {
    World& world = run.make<World>();
    run.thread("giver", [&world] {
      world.goods = 1;
      world.there.store(true, write);
    });
    run.thread("taker", [&world] {
      if (world.there.load(read)) model::check(world.goods == 1, "not there");
    });
  });
}

SYNC_TEST(Model, "a plain variable that is handed over without release or acquire is a race") {
  EXPECT_TRUE((hand_over<release, acquire>().holds()));
  EXPECT_TRUE((hand_over<relaxed, acquire>().fault.starts_with("a race")));
  EXPECT_TRUE((hand_over<release, relaxed>().fault.starts_with("a race")));
}

template <std::memory_order leave>
Finding last_one_deletes() {
  struct Thing : model::Deletable {
    Atomic<int> count{2};
    Var<int> used{0};
  };
  return explore({}, [](Run& run) {
    Thing* const thing = new Thing;
    for (const char* name : {"Ada", "Grace"}) {
      run.thread(name, [thing] {
        static_cast<void>(static_cast<int>(thing->used));
        if (thing->count.fetch_sub(1, leave) == 1) delete thing;
      });
    }
  });
}

SYNC_TEST(Model, "what is destroyed while others may use it is found") {
  EXPECT_TRUE(last_one_deletes<acq_rel>().holds());
  EXPECT_FALSE(last_one_deletes<release>().holds());
  EXPECT_FALSE(last_one_deletes<acquire>().holds());
  EXPECT_FALSE(last_one_deletes<relaxed>().holds());
}

SYNC_TEST(Model, "what is used after it was destroyed is found") {
  struct Thing : model::Deletable {
    Atomic<int> count{2};
  };
  const Finding found = explore({}, [](Run& run) {
    Thing* const thing = new Thing;
    for (const char* name : {"Ada", "Grace"}) {
      run.thread(name, [thing] {
        if (thing->count.fetch_sub(1, acq_rel) == 1) delete thing;
        else thing->count.load(relaxed);
      });
    }
  });
  EXPECT_FALSE(found.holds());
}

SYNC_TEST(Model, "who waits for ever is named, and the steps that led there are told") {
  const Finding found = explore({}, [](Run& run) {
    struct World {
      Atomic<int> flag{0};
      model::Doorbell bell;
    };
    World& world = run.make<World>();
    world.flag.named("flag");
    run.thread("sleeper", [&world] {
      if (world.flag.load(acquire) == 0) world.bell.wait();
    });
    run.thread("waker", [&world] { world.flag.store(1, release); });
  });
  EXPECT_EQ(found.fault, "waits for ever: sleeper");
  EXPECT_NE(found.trace.find("flag          load      acquire  0x0"), std::string::npos)
      << found.trace;
}

SYNC_TEST(Model, "a loop that looks until something changes ends") {
  const Finding found = explore({}, [](Run& run) {
    Shared& shared = run.make<Shared>();
    run.thread("waits", [&shared] {
      while (shared.x.load(relaxed) != 2) model::yield();
    });
    run.thread("counts", [&shared] {
      shared.x.fetch_add(1, relaxed);
      shared.x.fetch_add(1, relaxed);
    });
  });
  EXPECT_TRUE(found.holds()) << found;
}

}  // namespace
}  // namespace asyncio
