// cancel_everywhere: one scenario, cancelled wherever it waits, in every way.
// SPDX-License-Identifier: MIT
#include <asyncio/future.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/testing.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/wait.hpp>

#include "core/loop.hpp"
#include "core/traceback.hpp"
#include "sim/simulation.hpp"

#include <cstdio>
#include <vector>

namespace asyncio::inline v0 {

namespace testing {

namespace {

const char* words_for(Cancellation::Way way) {
  switch (way) {
    case Cancellation::Way::at_once: return "at once";
    case Cancellation::Way::before_completion: return "before its completion";
    case Cancellation::Way::after_completion: return "after its completion";
    case Cancellation::Way::twice: return "twice";
    case Cancellation::Way::by_timeout: return "by a timeout";
    case Cancellation::Way::by_group: return "by the failure of a group";
  }
  return "";
}

}  // namespace

std::string Cancellation::text() const {
  const std::string where =
      point == 0 ? "before it begins" : "in wait " + std::to_string(point);
  return where + ", " + words_for(way);
}

}  // namespace testing

namespace detail {
namespace {

using testing::Cancellation;
using Way = Cancellation::Way;

/// The sibling's error, by which a group fails.
struct Sabotage {};

/// What is known of a wait from a run that was not cancelled.
struct WaitSeen {
  std::size_t moments = 0;  // of the loop, from its begin until it was completed
  std::string place;
};

/// Follows one task through its waits; notes them, or cancels it in one of them. It is in its wait
/// number waits_.size(), and if that is completed, ready to go on; before the first, not begun.
class Follower final : public Director {
 public:
  Follower() = default;
  explicit Follower(Cancellation where, std::size_t moments) noexcept
      : cancels_(true), where_(where), moments_before_completion_(moments) {}

  void follow(const AnyTask& subject) noexcept {
    held_ = subject;
    subject_ = static_cast<TaskState*>(&HandleAccess::state(held_));
  }
  void forget() noexcept { subject_ = nullptr; }
  /// How to cancel it otherwise than by a request.
  void cancel_by(UniqueFunction<void()> means) noexcept { means_ = std::move(means); }

  const std::vector<WaitSeen>& waits() const noexcept { return waits_; }

  void before(const ReadyNode* next) noexcept override {
    if (!subject_ || subject_->is_done()) return;
    if (goes_on_) {  // it has run since: this is the first moment of a new wait
      goes_on_ = false;
      completed_ = false;
      begin_wait();
    } else if (!completed_ && !waits_.empty()) {
      ++waits_.back().moments;
    }
    const bool just_completed = !completed_ && !subject_->waiting;
    if (just_completed) completed_ = true;
    if (cancels_) cancel_if_here(just_completed);
    if (next == subject_) goes_on_ = true;
  }

 private:
  void begin_wait() noexcept {
    try {
      waits_.push_back({0, cancels_ ? std::string() : place_of(*subject_)});
    } catch (...) {
      std::terminate();  // a test without memory
    }
  }

  void cancel_if_here(bool just_completed) noexcept {
    if (done_) {
      const bool waits_again = waits_.size() > where_.point && subject_->waiting;
      if (where_.way == Way::twice && !again_ && waits_again) {
        again_ = true;
        cancel_task(*subject_, "again");
      }
      return;
    }
    if (waits_.size() != where_.point) return;
    const std::size_t moment = waits_.empty() ? 0 : waits_.back().moments;
    const bool here = where_.way == Way::before_completion
                          ? just_completed || moment + 1 >= moments_before_completion_
                      : where_.way == Way::after_completion ? just_completed
                                                            : true;
    if (!here) return;
    done_ = true;
    if (means_) means_();
    else cancel_task(*subject_, "cancel_everywhere");
    if (where_.way == Way::twice) cancel_task(*subject_, "cancel_everywhere");
  }

  const bool cancels_ = false;
  const Cancellation where_;
  const std::size_t moments_before_completion_ = 0;
  UniqueFunction<void()> means_;
  AnyTask held_;  // a group lets go of its children
  TaskState* subject_ = nullptr;
  std::vector<WaitSeen> waits_;
  bool goes_on_ = false;    // its node runs now
  bool completed_ = false;  // its wait, or it has not begun
  bool done_ = false;       // the cancelling
  bool again_ = false;
};

Coro<void> by_request(const Scenario& make, Follower& follower) {
  auto subject = create_task(make());
  follower.follow(subject);
  try {
    co_await subject;
  } catch (const CancelledError&) {
  }
  follower.forget();
}

Coro<void> in_timeout(const Scenario& make, Follower& follower) {
  co_await timeout(std::nullopt, [&](Timeout& limit) -> Coro<void> {
    follower.cancel_by([&limit] { limit.reschedule(EventLoop::Clock::time_point::min()); });
    co_await make();
    follower.forget();  // the limit ends with the body
  });
}

Coro<void> by_timeout(const Scenario& make, Follower& follower) {
  auto subject = create_task(in_timeout(make, follower));
  follower.follow(subject);
  try {
    co_await subject;
  } catch (const TimeoutError&) {
  }
  follower.forget();
}

Coro<void> fail_when_told(Future<bool> told) {
  const bool fails = co_await told;
  if (fails) throw Sabotage();
}

Coro<void> by_group(const Scenario& make, Follower& follower) {
  Future<bool> fails = get_running_loop().create_future<bool>();
  follower.cancel_by([&fails] {
    if (!fails.done()) fails.set_result(true);
  });
  std::optional<ExceptionGroup> others;
  try {
    co_await task_group([&](TaskGroup& group) -> Coro<void> {
      auto subject = group.create_task(make());
      follower.follow(subject);
      auto saboteur = group.create_task(fail_when_told(fails));
      const std::vector<AnyTask> alone{subject};
      static_cast<void>(co_await wait(alone));
      follower.forget();
      if (!fails.done()) fails.set_result(false);
    });
  } catch (const ExceptionGroup& group) {
    others = group.handle<Sabotage>([](const Sabotage&) {});
  }
  follower.forget();
  if (others) throw *others;
}

Coro<void> run_way(const Scenario& make, const Check& check, Cancellation where,
                   Follower& follower) {
  if (where.way == Way::by_timeout) co_await by_timeout(make, follower);
  else if (where.way == Way::by_group) co_await by_group(make, follower);
  else co_await by_request(make, follower);
  co_await check(where);
}

void run_simulated(Coro<void> main, Follower& follower, const std::shared_ptr<Engine>& real) {
  Task<void> task;
  {
    Simulation simulation(debug_by_default(), &follower, real);
    task = simulation.loop().create_task(std::move(main));
    simulation.run(task);
  }
  std::move(task).result();
}

std::vector<WaitSeen> waits_of(const Scenario& make, const std::shared_ptr<Engine>& real) {
  Follower follower;
  run_simulated(by_request(make, follower), follower, real);
  return follower.waits();
}

void report(Cancellation where, const std::string& place, const std::string& what) {
  std::fprintf(stderr, "asyncio::testing::cancel_everywhere: %s%s%s: %s\n", where.text().c_str(),
               place.empty() ? "" : ", in ", place.c_str(), what.c_str());
}

}  // namespace

void throw_check_failed() { throw RuntimeError("the check gave false"); }

std::size_t cancel_everywhere(const Scenario& make, const Check& check) {
  const std::shared_ptr<Engine> real = make_epoll_engine();
  const std::vector<WaitSeen> waits = waits_of(make, real);
  std::size_t tried = 0;
  for (std::size_t point = 0; point <= waits.size(); ++point) {
    const WaitSeen wait = point == 0 ? WaitSeen() : waits[point - 1];
    for (const Way way : {Way::at_once, Way::before_completion, Way::after_completion, Way::twice,
                          Way::by_timeout, Way::by_group}) {
      // Neither reaches it before it has begun.
      if (point == 0 && (way == Way::by_timeout || way == Way::by_group)) continue;
      const Cancellation where{point, way};
      Follower follower(where, wait.moments);
      try {
        run_simulated(run_way(make, check, where, follower), follower, real);
      } catch (...) {
        report(where, wait.place, describe(std::current_exception()));
        throw;
      }
      ++tried;
    }
  }
  return tried;
}

}  // namespace detail
}  // namespace asyncio::inline v0
