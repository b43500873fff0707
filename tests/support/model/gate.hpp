// The loop's real gate, made of the model's threads.
// SPDX-License-Identifier: MIT
#pragma once

#include "core/inbox.hpp"
#include "support/model/model.hpp"

#include <functional>
#include <vector>

namespace asyncio::test::model {

/// What is posted.
struct Node {
  Var<Node*> next{nullptr};
  Var<int> owner{0};  // written by whoever has it, so that it shows if two have
  int poster = 0;
  int number = 0;
};

/// The loop's ready queue.
struct Queue {
  std::vector<Node*> nodes;
  void push(Node& node) {
    node.next = nullptr;
    nodes.push_back(&node);
  }
};

/// The poller.
struct Waker {
  Doorbell bell;
  Var<bool> alive{true};
  int wakes = 0;
  std::function<void()> ring = [this] { bell.ring(); };

  Waker() { bell.named("bell"); }
  void wake() {
    check(alive, "a poller is woken that is gone");
    ring();
    ++wakes;
  }
};

struct ModelThreads {
  template <class T>
  using Atomic = model::Atomic<T>;
  using Node = model::Node;
  using Queue = model::Queue;
  using Waker = model::Waker;
  static void yield() { model::yield(); }
};

/// Counts in `deleted` when it goes.
class Gate final : public Deletable, public asyncio::detail::GateOf<Gate, ModelThreads> {
 public:
  Gate(Waker& waker, int& deleted) : GateOf(waker), deleted_(deleted) {
    name_last({"top_", "posting_", "count_", "sleeping_"});
  }

 private:
  friend asyncio::detail::GateOf<Gate, ModelThreads>;
  ~Gate() { ++deleted_; }

  int& deleted_;
};

/// A loop and its gate.
struct Office {
  Waker waker;
  int gates_deleted = 0;
  Gate* gate = new Gate(waker, gates_deleted);
  Queue taken;
  int sleeps = 0;

  /// How many came.
  std::size_t take() {
    const std::size_t before = taken.nodes.size();
    gate->take(taken);
    for (std::size_t i = before; i < taken.nodes.size(); ++i) taken.nodes[i]->owner = 0;
    return taken.nodes.size() - before;
  }

  /// As Loop::look().
  template <class Sleep>
  void look(Sleep sleep) {
    if (take() == 0) {
      ++sleeps;
      if (gate->begin_sleep()) {
        sleep();
        gate->end_sleep();
      }
    }
    take();
    check(waker.wakes <= sleeps, "woken twice in one sleep");
  }
  void look() {
    look([this] { waker.bell.wait_and_make_still(); });
  }

  /// As ~Loop(), and ~EventLoop(), which takes the poller away.
  void leave() {
    gate->close(true);
    waker.alive = false;
    take();
    gate->release();
  }
};

}  // namespace asyncio::test::model
