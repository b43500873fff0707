// The epoll engine: sleeps with the timer's deadline, wakes by an eventfd.
// SPDX-License-Identifier: MIT
#include "base/fd.hpp"
#include "base/syscall.hpp"
#include "core/loop.hpp"
#include "io/engine.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>

namespace asyncio::inline v0::detail {
namespace {

class EpollEngine final : public Engine {
 public:
  EpollEngine()
      : epoll_(require(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        bell_(require(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    // Edge-triggered: each ring is one event, and nobody has to read the bell.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.fd = bell_.get();
    require(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &event),
            "epoll_ctl(add, eventfd)");
  }

  Ticks now() noexcept override {
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return Ticks{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }

  void wait(Ticks deadline, ReadyQueue&) override {
    const Ticks ahead = deadline == never ? never : deadline - std::min(deadline, now());
    // Posts are looked at without a system call, so with nothing to watch there is none to make.
    // Unless the bell has rung: a host's poll would find it again and again.
    const bool rung = rung_.load(std::memory_order_relaxed) && rung_.exchange(false);
    if (ahead <= 0 && watched_.empty() && !rung) return;
    std::array<epoll_event, 256> events;
    const int count = wait_for_events(events, ahead);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd != bell_.get()) deliver(event.data.fd, event.events);
    }
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    // Fails only when the count is full, and then the bell has rung. errno is the interrupted
    // code's if this is a signal handler.
    const int saved = errno;
    static_cast<void>(!::write(bell_.get(), &one, sizeof one));
    rung_.store(true);  // after the write: who sees it finds the event
    errno = saved;
  }

  int descriptor() const noexcept override { return epoll_.get(); }

  void submit(Operation& operation) override {
    Watch& watch = watched_[operation.descriptor];
    Operation*& slot = watch.slot(operation.kind);
    if (slot) {
      throw std::system_error(EBUSY, std::generic_category(),
                              "waiting for a descriptor that somebody waits for already");
    }
    slot = &operation;
    try {
      update(operation.descriptor, watch);
    } catch (...) {
      cancel(operation);
      throw;
    }
  }

  void cancel(Operation& operation) noexcept override {
    const auto found = watched_.find(operation.descriptor);
    if (found == watched_.end()) return;
    Operation*& slot = found->second.slot(operation.kind);
    if (slot != &operation) return;
    slot = nullptr;
    forget_if_idle(found);
  }

 private:
  struct Watch {
    Operation* reader = nullptr;
    Operation* writer = nullptr;
    bool registered = false;

    Operation*& slot(Operation::Kind kind) noexcept {
      return kind == Operation::Kind::readable ? reader : writer;
    }
  };
  using Watched = std::map<int, Watch>;

  // Nanoseconds by epoll_pwait2; where the kernel has none, milliseconds, rounded up.
  int wait_for_events(std::array<epoll_event, 256>& events, Ticks ahead) {
    constexpr Ticks second = 1'000'000'000;
    if (has_pwait2_) {
      timespec limit{ahead / second, ahead % second};
      const long count = ::syscall(SYS_epoll_pwait2, epoll_.get(), events.data(), events.size(),
                                   ahead == never ? nullptr : &limit, nullptr, 0);
      if (count >= 0) return static_cast<int>(count);
      if (errno == EINTR) return 0;
      if (errno != ENOSYS && errno != EPERM) require(count, "epoll_pwait2");
      has_pwait2_ = false;
    }
    const Ticks millis =
        std::min<Ticks>(ahead / 1'000'000 + (ahead % 1'000'000 ? 1 : 0), 86'400'000);
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   ahead == never ? -1 : static_cast<int>(millis));
    if (count < 0 && errno == EINTR) return 0;
    return require(count, "epoll_wait");
  }

  void update(int descriptor, Watch& watch) {
    epoll_event event{};
    event.events = (watch.reader ? EPOLLIN | EPOLLRDHUP : 0u) | (watch.writer ? EPOLLOUT : 0u);
    event.data.fd = descriptor;
    require(::epoll_ctl(epoll_.get(), watch.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor,
                        &event),
            "epoll_ctl");
    watch.registered = true;
  }

  void forget_if_idle(Watched::iterator found) noexcept {
    Watch& watch = found->second;
    if (!watch.reader && !watch.writer) {
      if (watch.registered) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->first, nullptr);
      watched_.erase(found);
      return;
    }
    try {
      update(found->first, watch);
    } catch (const std::system_error&) {
      // It stays registered for more than is waited for: an event too many, which is ignored.
    }
  }

  void deliver(int descriptor, std::uint32_t events) noexcept {
    const auto found = watched_.find(descriptor);
    if (found == watched_.end()) return;  // cancelled by another event of this batch
    const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    Operation* reader = nullptr;
    Operation* writer = nullptr;
    if (broken || (events & (EPOLLIN | EPOLLRDHUP))) {
      reader = std::exchange(found->second.reader, nullptr);
    }
    if (broken || (events & EPOLLOUT)) writer = std::exchange(found->second.writer, nullptr);
    forget_if_idle(found);
    if (reader) reader->completed(0);
    if (writer) writer->completed(0);
  }

  Fd epoll_;
  Fd bell_;
  Watched watched_;
  std::atomic<bool> rung_{false};
  bool has_pwait2_ = true;
};

}  // namespace

std::unique_ptr<Engine> make_epoll_engine() { return std::make_unique<EpollEngine>(); }

}  // namespace asyncio::inline v0::detail
