// The C signal handler and what it leaves for the loop.
// SPDX-License-Identifier: MIT
#include "run/interrupt.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace asyncio::inline v0::detail {
namespace {

// Only lock-free atomics: a signal handler touches nothing else.
std::atomic<Loop*> target{nullptr};
std::atomic<int> received{0};
std::atomic<int> first_number{0};
std::atomic<std::uint64_t> turns_at_first{0};
std::atomic<std::int64_t> seconds_at_first{0};
static_assert(std::atomic<Loop*>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

std::int64_t seconds_now() noexcept {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Ticks{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void die_by(int number) noexcept {
  ::signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  ::raise(number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
}

extern "C" void on_signal(int number) {
  Loop* const loop = target.load();
  if (!loop) return die_by(number);
  const int count = received.fetch_add(1) + 1;
  if (count == 1) {
    first_number.store(number);
    turns_at_first.store(loop->turns_seen());
    seconds_at_first.store(seconds_now());
  } else {
    const bool stuck = loop->turns_seen() == turns_at_first.load() &&
                       seconds_now() - seconds_at_first.load() >= 1'000'000'000;
    if (count > 2 || stuck) return die_by(number);
  }
  loop->interrupted = 1;
  loop->attention = 1;
  loop->poller->wake();
}

bool on_main_thread() noexcept { return ::getpid() == ::syscall(SYS_gettid); }

}  // namespace

Interrupts::Interrupts(Loop& loop, bool sigint, bool sigterm) noexcept {
  if (!on_main_thread() || (!sigint && !sigterm)) return;
  // The loop of a parent that this process was forked from has none here.
  Loop* before = target.load();
  if (before && !before->in_forked_child()) return;
  if (!target.compare_exchange_strong(before, &loop)) return;
  received.store(0);
  first_number.store(0);
  took_sigint_ = sigint && take(SIGINT);
  took_sigterm_ = sigterm && take(SIGTERM);
  if (!took_sigint_ && !took_sigterm_) target.store(nullptr);
}

Interrupts::~Interrupts() {
  if (!took_sigint_ && !took_sigterm_) return;
  give_back(SIGINT, took_sigint_);
  give_back(SIGTERM, took_sigterm_);
  target.store(nullptr);
}

int Interrupts::count() const noexcept {
  return took_sigint_ || took_sigterm_ ? received.load() : 0;
}
int Interrupts::signal() const noexcept { return first_number.load(); }

bool Interrupts::take(int number) noexcept {
  struct sigaction before {};
  if (::sigaction(number, nullptr, &before) != 0) return false;
  if (before.sa_handler == &on_signal) return true;  // the parent's run has taken it
  if (before.sa_handler != SIG_DFL) return false;
  struct sigaction ours {};
  ours.sa_handler = &on_signal;
  sigemptyset(&ours.sa_mask);
  ours.sa_flags = SA_RESTART;
  return ::sigaction(number, &ours, nullptr) == 0;
}

void Interrupts::give_back(int number, bool taken) noexcept {
  if (!taken) return;
  struct sigaction now {};
  // Somebody may have installed a handler of their own meanwhile: it stays.
  if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler == &on_signal) {
    ::signal(number, SIG_DFL);
  }
}

}  // namespace asyncio::inline v0::detail
