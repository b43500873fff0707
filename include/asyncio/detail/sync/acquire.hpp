// co_await lock.acquire(), for whatever is acquired in turn.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/sync/wait_line.hpp>

#include <utility>

namespace asyncio::inline v0 {

/// Something acquired that is released at the end of its scope. Python's `async with`.
template <class Owner>
class [[nodiscard("asyncio: this releases at once what was acquired: keep it in a variable")]]
Held {
 public:
  explicit Held(Owner& owner) noexcept : owner_(&owner) {}
  Held(Held&& other) noexcept : owner_(detail::taken(other.owner_)) {}
  Held& operator=(Held&& other) noexcept {
    detail::swap_plain(owner_, other.owner_);
    return *this;
  }
  ~Held() {
    if (owner_) owner_->give_back();
  }

  /// Releases it before the end of the scope.
  void release() {
    if (owner_) detail::taken(owner_)->release();
  }

 private:
  Owner* owner_;
};

}  // namespace asyncio::inline v0

namespace asyncio::inline v0::detail {

template <class Owner>
class [[nodiscard]] AcquireWait : public LineWait {
 public:
  explicit AcquireWait(Owner& owner) noexcept : LineWait(owner.line_), owner_(owner) {}

  bool await_ready() const noexcept { return owner_.try_take(); }
  ASYNCIO_INLINE void await_resume() {
    if (!task) return;
    if (leave_cancelled()) [[unlikely]] {
      if (has_turn()) owner_.pass_on();
      raise_cancelled();
    }
    owner_.take_turn();
  }

 protected:
  Owner& owner_;
};

template <class Owner>
class [[nodiscard]] ScopedAcquireWait : public AcquireWait<Owner> {
 public:
  using AcquireWait<Owner>::AcquireWait;
  ASYNCIO_INLINE Held<Owner> await_resume() {
    AcquireWait<Owner>::await_resume();
    return Held<Owner>(this->owner_);
  }
};

template <class Owner>
class [[nodiscard("asyncio: this does not acquire anything: co_await it")]] Acquire {
 public:
  explicit Acquire(Owner& owner) noexcept : owner_(owner) {}
  AcquireWait<Owner> operator co_await() && noexcept { return AcquireWait<Owner>(owner_); }

 private:
  Owner& owner_;
};

template <class Owner>
class [[nodiscard("asyncio: this does not acquire anything: co_await it")]] ScopedAcquire {
 public:
  explicit ScopedAcquire(Owner& owner) noexcept : owner_(owner) {}
  ScopedAcquireWait<Owner> operator co_await() && noexcept {
    return ScopedAcquireWait<Owner>(owner_);
  }

 private:
  Owner& owner_;
};

}  // namespace asyncio::inline v0::detail
