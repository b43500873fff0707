// A counted handle to a task or future, without its T.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/core/callback.hpp>
#include <asyncio/detail/core/task_state.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

/// Names a done callback, so that it can be removed.
enum class CallbackId : std::uint64_t {};

namespace detail {

[[noreturn]] ASYNCIO_API void throw_empty_handle();
[[noreturn]] ASYNCIO_API void throw_result_taken();

/// A callback in the line of a task or future.
struct ASYNCIO_API DoneCallback : CallbackNode, Completion {
  CallbackId id{};

  explicit DoneCallback(LoopBase& where) noexcept : CallbackNode(where) {}
  ASYNCIO_API void completed() noexcept override;
  DoneCallback* as_callback() noexcept final { return this; }
};

/// Enters the line of `state`, or the ready queue if it is done already [R12].
ASYNCIO_API CallbackId add_done_callback(ResultState& state, DoneCallback& callback);
ASYNCIO_API std::size_t remove_done_callback(ResultState& state, CallbackId id) noexcept;

/// What all handles can do.
class ASYNCIO_API ResultHandle {
 public:
  ResultHandle() noexcept = default;
  ResultHandle(const ResultHandle& other) noexcept : state_(other.state_) {
    if (state_) state_->retain();
  }
  ResultHandle(ResultHandle&& other) noexcept : state_(taken(other.state_)) {}
  ResultHandle& operator=(const ResultHandle& other) noexcept {
    ResultHandle copy(other);
    swap_plain(state_, copy.state_);
    return *this;
  }
  ResultHandle& operator=(ResultHandle&& other) noexcept {
    ResultHandle taken(std::move(other));
    swap_plain(state_, taken.state_);
    return *this;
  }
  ~ResultHandle() {
    if (state_) state_->release();
  }

  explicit operator bool() const noexcept { return state_ != nullptr; }
  friend bool operator==(const ResultHandle& a, const ResultHandle& b) noexcept {
    return a.state_ == b.state_;
  }

  bool done() const { return state().is_done(); }
  bool cancelled() const { return state().is_cancelled(); }
  /// Null for a value, else what it failed with.
  /// Throws:  InvalidStateError while pending; CancelledError if it was cancelled.
  std::exception_ptr exception() const;
  EventLoop& get_loop() const;
  /// Takes back a callback; how many there were: 0 or 1.
  std::size_t remove_done_callback(CallbackId id) const noexcept {
    return state_ ? detail::remove_done_callback(*state_, id) : 0;
  }

 protected:
  friend struct HandleAccess;
  struct Adopt {};
  ResultHandle(Adopt, ResultState& state) noexcept : state_(&state) {}
  explicit ResultHandle(ResultState& state) noexcept : state_(&state) { state.retain(); }

  ResultState& state() const {
    if (!state_) [[unlikely]] throw_empty_handle();
    return *state_;
  }
  ResultState& release_state() {
    ResultState& released = state();
    state_ = nullptr;
    return released;
  }

  ResultState* state_ = nullptr;
};

/// A Task, AnyTask or Future; not an operation that holds one, such as task.join().
template <class A>
concept result_handle = std::is_convertible_v<const A*, const ResultHandle*>;

/// The library's way into a handle.
struct ASYNCIO_API HandleAccess {
  static ResultState& state(const ResultHandle& handle) { return handle.state(); }
  static ResultState* get(const ResultHandle& handle) noexcept { return handle.state_; }
  static void cancel(const ResultHandle& handle) noexcept;
  template <class H>
  static H adopt(ResultState& state) noexcept {
    return H(ResultHandle::Adopt{}, state);
  }
  template <class H>
  static H retain(ResultState& state) noexcept {
    state.retain();
    return H(ResultHandle::Adopt{}, state);
  }
};

/// A callback that is given a handle. While it waits it holds none, or a future that is never set
/// would keep itself alive.
struct ASYNCIO_API HandleCallback : DoneCallback {
  ResultState* subject = nullptr;
  bool holds = false;

  explicit HandleCallback(LoopBase& where) noexcept : DoneCallback(where) {}
  ~HandleCallback() override {
    if (holds) subject->release();
  }
  void completed() noexcept override;
};

template <class H, class F>
CallbackId add_done_callback_to(ResultState& state, F callable) {
  struct Bound {
    F fn;
    HandleCallback* node;
    void operator()() {
      node->holds = false;
      fn(HandleAccess::adopt<H>(*node->subject));
    }
  };
  using Node = Callback<HandleCallback, Bound>;
  auto* node = new Node(*state.loop, Bound{std::move(callable), nullptr});
  std::get<0>(*node->bound).node = node;
  node->subject = &state;
  return add_done_callback(state, *node);
}

}  // namespace detail
}  // namespace asyncio::inline v0
