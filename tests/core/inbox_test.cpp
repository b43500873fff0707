// The gate between threads and the loop, in every interleaving and as weak as C++ lets memory be.
// SPDX-License-Identifier: MIT
#include "core/inbox.hpp"

#include "support/async_test.hpp"
#include "support/model/gate.hpp"
#include "support/model/model.hpp"
#include "support/model/orders.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {
namespace {

namespace model = test::model;
using model::explore;
using model::Finding;
using model::Node;
using model::Program;
using model::Run;
using Counts = std::vector<int>;  // of each thread

const std::uint64_t many = model::is_slow ? 500 : 10'000;

const char* const names[] = {"loop", "Ada", "Grace", "Edsger", "Tony"};

struct Office : model::Office {
  std::deque<Node> nodes;
  int refused[5] = {};  // of each thread

  Node& node(int poster) {
    Node& made = nodes.emplace_back();
    made.poster = poster;
    made.number = static_cast<int>(nodes.size());
    return made;
  }
  void post(Node& node) {
    node.owner = node.poster;
    if (gate->post(node)) return;
    node.owner = node.poster;  // it is still ours
    ++refused[node.poster];
  }
  std::size_t refusals() const {
    int all = 0;
    for (const int count : refused) all += count;
    return static_cast<std::size_t>(all);
  }

  // Once each, and those of one poster in its order.
  void check_taken(std::size_t posts) const {
    const std::vector<Node*>& all = taken.nodes;
    model::check(all.size() == posts, "not every post was taken once");
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = i + 1; j < all.size(); ++j) {
        model::check(all[i]->poster != all[j]->poster || all[i]->number < all[j]->number,
                     "posts of one thread changed places");
      }
    }
    model::check(gate->posts() == posts, "posts are counted wrongly");
  }
  void check_gone() const { model::check(gates_deleted == 1, "the gate was not deleted once"); }
};

// ---- what threads do

// One thread for each count; all of their posts.
template <class Post>
std::size_t add_posters(Run& run, Office& office, const Counts& posts, Post post) {
  std::size_t all = 0;
  int poster = 0;
  for (const int count : posts) {
    ++poster;
    const std::size_t first = all;
    for (; all < first + static_cast<std::size_t>(count); ++all) office.node(poster);
    run.thread(names[poster], [&office, first, all, post] {
      for (std::size_t i = first; i < all; ++i) office.post(office.nodes[i]);
      post(office);
    });
  }
  return all;
}

struct Timer {
  int sleeps_ended = 0;  // at most, by a timer
};

Program posting(Counts posts, Timer timer = {}) {
  return [posts, timer](Run& run) {
    auto& office = run.make<Office>();
    const std::size_t all = add_posters(run, office, posts, [](Office&) {});
    run.thread("loop", [&office, all, left = timer.sleeps_ended]() mutable {
      while (office.taken.nodes.size() < all) {
        office.look([&] {
          if (left > 0 && model::choose(2) == 1) --left;
          else office.waker.bell.wait_and_make_still();
        });
      }
    });
    run.afterwards([&office, all] {
      office.check_taken(all);
      model::check(!office.gate->has_posts(), "a post was left");
      office.leave();
      office.check_gone();
    });
  };
}

// The loop closes meanwhile. Who posts holds the gate, as a job does.
Program closing(Counts posts) {
  return [posts](Run& run) {
    auto& office = run.make<Office>();
    const std::size_t all =
        add_posters(run, office, posts, [](Office& left) { left.gate->release(); });
    for (std::size_t i = 0; i < posts.size(); ++i) office.gate->retain();
    // A guest, whose host closes it instead of sleeping: who posts may be about to wake it.
    run.thread("loop", [&office] {
      static_cast<void>(office.gate->begin_sleep());
      office.leave();
    });
    run.afterwards([&office, all] {
      model::check(office.taken.nodes.size() + office.refusals() == all,
                   "a post was neither taken nor refused");
      office.check_gone();
    });
  };
}

enum class Loop { open, closes };

// Jobs come home with a post, holds without.
Program coming_home(int jobs, int holds, Loop loop = Loop::open) {
  return [=](Run& run) {
    auto& office = run.make<Office>();
    for (int thread = 1; thread <= jobs + holds; ++thread) {
      office.gate->count_out();
      if (thread > jobs) {
        run.thread(names[thread], [&office] { office.gate->count_home(); });
        continue;
      }
      Node& node = office.node(thread);
      run.thread(names[thread], [&office, &node] {
        node.owner = node.poster;
        if (office.gate->bring_home(node)) return;
        node.owner = node.poster;
        ++office.refused[node.poster];
      });
    }
    // As VirtualClock::wait(): time jumps when nobody is out, and there are no posts.
    run.thread("loop", [&office, jobs, loop] {
      for (bool jumped = loop == Loop::closes; !jumped;) {
        office.look([&] {
          if (office.gate->out_in_the_world() > 0) office.waker.bell.wait_and_make_still();
          else if (!office.gate->has_posts()) jumped = true;
        });
        if (jumped) office.check_taken(static_cast<std::size_t>(jobs));
      }
      office.leave();
    });
    run.afterwards([&office, jobs] {
      model::check(office.taken.nodes.size() + office.refusals() == static_cast<std::size_t>(jobs),
                   "a job is neither home nor refused");
      office.check_gone();
    });
  };
}

// ---- a guest of another loop, which polls our descriptor

enum class Order { right, flag_before_bell, still_before_sleep };

// As EpollEngine: the event of the bell stays until somebody asks the kernel for events, and nobody
// asks without cause.
struct Engine {
  model::Doorbell& bell;
  Order order;
  model::Atomic<bool> rung{false};

  void wake() {
    if (order == Order::flag_before_bell) rung.store(true);
    bell.ring();
    if (order != Order::flag_before_bell) rung.store(true);
  }
  void look() {
    if (rung.load(std::memory_order_relaxed) && rung.exchange(false)) bell.make_still();
  }
};

// As Loop::run_as_guest().
void run_as_guest(Office& office, Engine& engine) {
  office.gate->end_sleep();
  const std::size_t came = office.take();
  if (engine.order != Order::still_before_sleep) engine.look();
  if (came == 0 && !office.gate->begin_sleep()) office.take();
  if (engine.order == Order::still_before_sleep) engine.look();
}

Program hosted(Counts posts, Order order) {
  return [posts, order](Run& run) {
    auto& office = run.make<Office>();
    auto& engine = run.make<Engine>(office.waker.bell, order);
    office.waker.ring = [&engine] { engine.wake(); };
    model::name_last({"rung_"});
    const std::size_t all = add_posters(run, office, posts, [](Office&) {});
    run.thread("host", [&office, &engine, all] {
      while (office.taken.nodes.size() < all) {
        const std::size_t before = office.taken.nodes.size();
        run_as_guest(office, engine);
        if (office.taken.nodes.size() == before) office.waker.bell.wait();
      }
      run_as_guest(office, engine);  // for a cause of its own
    });
    run.afterwards([&office, &engine, all] {
      office.check_taken(all);
      run_as_guest(office, engine);
      model::check(!office.waker.bell.rings(), "the host finds the bell again and again");
      office.leave();
    });
  };
}

// ---- that it holds

// All interleavings of programs that have 100,000 of them.
model::Search thorough() {
  return {.random_runs = model::is_slow ? 500u : 0u, .moody = false};
}

SYNC_TEST(Gate, "no wake-up is lost: every interleaving of post, wake and sleep [B1, B2]") {
  const Finding one = explore({}, posting({2}));
  EXPECT_TRUE(one.holds()) << one;
  const Finding timer = explore(thorough(), posting({2}, Timer{1}));
  EXPECT_TRUE(timer.holds()) << timer;
  const Finding two = explore(thorough(), posting({1, 1}));
  EXPECT_TRUE(two.holds()) << two;
}

SYNC_TEST(Gate, "no wake-up is lost, and a thread's posts keep their order, at random [B1, B2]") {
  for (const Counts& posts : {Counts{3}, Counts{2, 2}, Counts{1, 1, 1}, Counts{2, 1, 2, 1}}) {
    const Finding found = explore({.random_runs = many}, posting(posts, Timer{2}));
    EXPECT_TRUE(found.holds()) << found;
  }
}

SYNC_TEST(Gate, "a host that polls misses no post, and does not spin when all are taken [B2]") {
  const Finding one = explore({}, hosted({1}, Order::right));
  EXPECT_TRUE(one.holds()) << one;
  const Finding more = explore({.random_runs = many}, hosted({2, 1}, Order::right));
  EXPECT_TRUE(more.holds()) << more;
}

SYNC_TEST(Gate, "nobody is woken who does not sleep, or does no longer") {
  const Finding found = explore({}, [](Run& run) {
    auto& office = run.make<Office>();
    auto& awake = run.make<model::Atomic<bool>>(false);
    run.thread("Ada", [&office, &awake] {
      if (model::choose(2) == 1) office.post(office.node(1));
      while (!awake.load(std::memory_order_acquire)) model::yield();
      const int wakes = office.waker.wakes;
      office.post(office.node(1));
      model::check(office.waker.wakes == wakes, "woken while awake");
    });
    run.thread("loop", [&office, &awake] {
      office.look([] {});  // a timer ends its sleep at once
      awake.store(true, std::memory_order_release);
      office.take();
    });
    run.afterwards([&office] {
      office.take();
      office.leave();
    });
  });
  EXPECT_TRUE(found.holds()) << found;
}

SYNC_TEST(Gate, "closed, it refuses; what it took is there, and it goes when all let go [B12]") {
  const Finding one = explore({}, closing({2}));
  EXPECT_TRUE(one.holds()) << one;
  for (const Counts& posts : {Counts{1, 1}, Counts{2, 1, 2}}) {
    const Finding found = explore({.random_runs = many}, closing(posts));
    EXPECT_TRUE(found.holds()) << found;
  }
}

SYNC_TEST(Gate, "who sees that nobody is out sees what they brought: time does not jump too far") {
  for (const Program& program : {coming_home(1, 0), coming_home(0, 2)}) {
    const Finding found = explore({}, program);
    EXPECT_TRUE(found.holds()) << found;
  }
  const Finding both = explore(thorough(), coming_home(1, 1));
  EXPECT_TRUE(both.holds()) << both;
  const Finding more = explore({.random_runs = many}, coming_home(2, 1));
  EXPECT_TRUE(more.holds()) << more;
}

SYNC_TEST(Gate, "what is out comes home to a loop that closes, or is refused; it waits [B12]") {
  const Finding found = explore({}, coming_home(1, 1, Loop::closes));
  EXPECT_TRUE(found.holds()) << found;
  const Finding more = explore({.random_runs = many}, coming_home(2, 1, Loop::closes));
  EXPECT_TRUE(more.holds()) << more;
}

// ---- that it would be seen if it did not

std::vector<Program> small_programs() {
  return {posting({1}, Timer{1}), closing({1}), coming_home(1, 0), coming_home(0, 1),
          coming_home(1, 1, Loop::closes), posting({2})};
}

// Where the code asks for more, it costs nothing on x86, and relies on nobody's reasoning.
SYNC_TEST(Gate, "each memory order is needed: weaken it, and the model finds what breaks [L12]") {
  const test::Events needed{
      "begin_sleep load seq_cst",
      "begin_sleep store seq_cst",
      "close load acquire",
      "leave fetch_sub release",
      "let_go fetch_sub seq_cst",
      "out_in_the_world load seq_cst",
      "push compare_exchange_weak seq_cst",
      "take exchange acquire",
      "wake_if_asleep load seq_cst",
  };
  EXPECT_EQ(model::orders_needed(small_programs(), "inbox.hpp"), needed);
}

// Turns that are wrong in the ways that the literature knows.
Finding posting_to_a_loop_that(void (*looks)(Office&)) {
  return explore({}, [looks](Run& run) {
    auto& office = run.make<Office>();
    add_posters(run, office, {1}, [](Office&) {});
    run.thread("loop", [&office, looks] {
      while (office.taken.nodes.empty()) looks(office);
    });
  });
}

SYNC_TEST(Gate, "a loop that does not look again before it sleeps would sleep for ever [B1, L12]") {
  const Finding found = posting_to_a_loop_that([](Office& office) {
    if (office.take() > 0) return;
    static_cast<void>(office.gate->begin_sleep());
    office.waker.bell.wait_and_make_still();
    office.gate->end_sleep();
    office.take();
  });
  EXPECT_EQ(found.fault, "waits for ever: loop");
}

SYNC_TEST(Gate, "a bell made still at the wrong time would be missed, or ring for ever [B2, L12]") {
  EXPECT_EQ(explore({}, hosted({1}, Order::still_before_sleep)).fault, "waits for ever: host");
  EXPECT_EQ(explore({}, hosted({1}, Order::flag_before_bell)).fault,
            "the host finds the bell again and again");
}

}  // namespace
}  // namespace asyncio
