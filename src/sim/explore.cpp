// explore: one scenario under many orders.
// SPDX-License-Identifier: MIT
#include <asyncio/testing.hpp>

#include "core/loop.hpp"
#include "core/task_text.hpp"
#include "core/traceback.hpp"
#include "sim/shuffle.hpp"
#include "sim/simulation.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace asyncio::inline v0::detail {
namespace {

/// The order of one seed; it may also cancel the scenario at a moment of the seed.
class Explorer final : public Shuffle {
 public:
  Explorer(std::uint64_t seed, bool trace) noexcept : Shuffle(seed), trace_(trace) {}

  /// Some time in the next `moments`.
  void cancel_within(TaskState& subject, std::size_t moments) {
    subject_ = &subject;
    left_ = draw_(moments + 1);
  }
  std::size_t moments() const noexcept { return moments_; }
  bool cancelled() const noexcept { return cancelled_; }

  void before(const ReadyNode* next) noexcept override {
    ++moments_;
    if (trace_) show(next);
    if (!subject_ || left_-- > 0) return;
    cancelled_ = cancel_task(*std::exchange(subject_, nullptr), "explore");
    if (trace_ && cancelled_) std::fputs("  the scenario is cancelled\n", stderr);
  }

 private:
  static void show(const ReadyNode* next) noexcept {
    if (!next || next->kind != ReadyNode::Kind::task) return;
    try {
      auto& task = const_cast<TaskState&>(static_cast<const TaskState&>(*next));
      const std::string place = place_of(task);
      std::fprintf(stderr, "  %s %s%s\n", task_name(task).c_str(),
                   place.empty() ? "begins" : "goes on in ", place.c_str());
    } catch (...) {
    }
  }

  const bool trace_;
  TaskState* subject_ = nullptr;
  std::size_t left_ = 0;
  std::size_t moments_ = 0;
  bool cancelled_ = false;
};

/// How this process was called, for a shell.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text;
  for (std::string argument; std::getline(file, argument, '\0');) {
    if (!text.empty()) text += ' ';
    std::string quoted = "'";
    for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += quoted + "'";
  }
  return text;
}

class Exploration {
 public:
  Exploration(const UniqueFunction<Coro<void>()>& make, testing::ExploreOptions options)
      : make_(make), options_(options), real_(make_epoll_engine()) {}

  void run_all() {
    if (options_.cancel) moments_ = run_one(0);
    if (const char* const seed = std::getenv("ASYNCIO_SEED")) {
      trace_ = true;
      return run_seed(std::strtoull(seed, nullptr, 10));
    }
    for (std::uint64_t seed = 1; seed <= options_.seeds; ++seed) run_seed(seed);
  }

 private:
  void run_seed(std::uint64_t seed) {
    try {
      static_cast<void>(run_one(seed));
    } catch (...) {
      report(seed, describe(std::current_exception()));
      throw;
    }
    if (options_.failed && options_.failed()) {
      report(seed, "a check of the scenario failed");
      throw RuntimeError("explore: a check failed under seed " + std::to_string(seed));
    }
  }

  // Gives how many moments it had.
  std::size_t run_one(std::uint64_t seed) {
    Explorer explorer(seed, trace_);
    Task<void> task;
    {
      Simulation simulation(debug_by_default(), &explorer, real_);
      task = simulation.loop().create_task(make_());
      if (options_.cancel && seed > 0) {
        // Other orders may have more moments than the one that was counted.
        explorer.cancel_within(static_cast<TaskState&>(HandleAccess::state(task)), 2 * moments_);
      }
      simulation.run(task);
    }
    if (!explorer.cancelled() || !task.cancelled()) std::move(task).result();
    return explorer.moments();
  }

  void report(std::uint64_t seed, const std::string& what) const {
    std::fprintf(stderr,
                 "asyncio::testing::explore: seed %llu failed: %s\n"
                 "  to replay it: ASYNCIO_SEED=%llu %s\n",
                 static_cast<unsigned long long>(seed), what.c_str(),
                 static_cast<unsigned long long>(seed), command_line().c_str());
  }

  const UniqueFunction<Coro<void>()>& make_;
  const testing::ExploreOptions options_;
  const std::shared_ptr<Engine> real_;
  std::size_t moments_ = 0;
  bool trace_ = false;
};

}  // namespace

void explore(const UniqueFunction<Coro<void>()>& make, testing::ExploreOptions options) {
  Exploration(make, options).run_all();
}

}  // namespace asyncio::inline v0::detail
