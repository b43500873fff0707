// What every coroutine frame of the library begins with, and what a co_await turns into.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/frame_pool.hpp>
#include <asyncio/detail/base/raise.hpp>
#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/base/where.hpp>
#include <asyncio/detail/core/result.hpp>
#include <asyncio/detail/core/thread_state.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {
template <class T>
class Coro;
}

namespace asyncio::inline v0::detail {

/// Base of all awaiters of the library: what an `operator co_await` of ours returns. Pinned: it is
/// built in the frame and linked from outside.
struct Awaiter {
  Awaiter() = default;
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;
};

template <class A>
concept library_awaiter = std::is_base_of_v<Awaiter, A>;

template <class A>
concept gives_awaiter = requires(A&& a) { std::forward<A>(a).operator co_await(); };

/// True if awaiting an A leads to an awaiter of ours, at once or through a user's type.
template <class A>
constexpr bool leads_to_awaiter() {
  if constexpr (gives_awaiter<A>) {
    using Next = decltype(std::declval<A>().operator co_await());
    if constexpr (std::is_reference_v<Next>) return false;
    else if constexpr (library_awaiter<Next>) return true;
    else return leads_to_awaiter<Next>();
  } else {
    return false;
  }
}

template <class T>
constexpr bool is_coro = false;
template <class T>
constexpr bool is_coro<Coro<T>> = true;

// Without std::forward, which would be one more function for each type that is awaited.
template <class A>
ASYNCIO_INLINE auto awaiter_of(A&& awaitable) {
  if constexpr (leads_to_awaiter<A>()) {
    using Next = decltype(static_cast<A&&>(awaitable).operator co_await());
    if constexpr (library_awaiter<Next>) {
      return static_cast<A&&>(awaitable).operator co_await();
    } else {
      return awaiter_of(static_cast<A&&>(awaitable).operator co_await());
    }
  } else if constexpr (is_coro<std::remove_cvref_t<A>>) {
    static_assert(!is_coro<std::remove_cvref_t<A>>,
                  "asyncio: a coroutine is awaited once and used up: write co_await std::move(c)");
  } else if constexpr (std::is_lvalue_reference_v<A> &&
                       leads_to_awaiter<std::remove_cvref_t<A>>()) {
    static_assert(!std::is_lvalue_reference_v<A>,
                  "asyncio: an operation is awaited once and used up: "
                  "write co_await std::move(operation)");
  } else {
    static_assert(leads_to_awaiter<A>(),
                  "asyncio: this type cannot be awaited here: await a Coro, Task, Future or an "
                  "operation of asyncio; wrap a callback in a Future<T>: its set_result() wakes "
                  "whoever awaits it");
  }
}

template <class A>
using AwaiterOf = decltype(awaiter_of(std::declval<A>()));

/// What `co_await` of an A gives.
template <class A>
using AwaitResult = decltype(std::declval<AwaiterOf<A>&>().await_resume());

/// First base of every promise, so that a handle's address gives it without knowing the T.
struct PromiseBase : Pooled {
  PromiseBase* parent = nullptr;  // who awaits me; null: I am the root frame of a task
  Standing standing;              // at which co_await, or at which I stood last

  PromiseBase() = default;
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  std::suspend_always initial_suspend(Where function = __builtin_source_location()) noexcept {
    standing.at_beginning(function);
    return {};
  }

  /// Ends the frame's run: on to whoever awaits it, or back to the driver.
  struct Final {
    bool await_ready() noexcept { return false; }
    ASYNCIO_INLINE std::coroutine_handle<> await_suspend(std::coroutine_handle<> me) noexcept;
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }

  ASYNCIO_API void unhandled_exception() noexcept;

  template <class A>
  ASYNCIO_INLINE auto await_transform(A&& awaitable, Where place = __builtin_source_location()) {
    standing.at(place);
    return awaiter_of(static_cast<A&&>(awaitable));
  }

  // What std::coroutine_handle<PromiseBase> does, by seven functions that are compiled each time.
  static std::coroutine_handle<> handle_of(PromiseBase& promise) noexcept {
    return std::coroutine_handle<>::from_address(
        __builtin_coro_promise(&promise, alignof(PromiseBase), true));
  }
  static PromiseBase& promise_of(std::coroutine_handle<> frame) noexcept {
    return *static_cast<PromiseBase*>(
        __builtin_coro_promise(frame.address(), alignof(PromiseBase), false));
  }
};

/// A frame of ours, whatever its T: what is done with frames is compiled once, not for each T.
using FrameHandle = std::coroutine_handle<>;

/// Destroys a frame whose error has been taken: what it should have awaited goes without a word.
ASYNCIO_API void destroy_failed(PromiseBase& promise) noexcept;

/// What a child ended with, for the frame that awaited it to raise; adds that frame to the
/// traceback. The second one destroys the child: frames end inside out, before the raise.
ASYNCIO_API Raised raised_in(PromiseBase& awaiting, std::exception_ptr error) noexcept;
ASYNCIO_API Raised error_of_child(PromiseBase& child) noexcept;

/// While it lives, coroutines that were never awaited go without a word: what was to await them
/// will not.
class ASYNCIO_API Silence {
 public:
  Silence() noexcept;
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence();
};

/// Destroys a frame that nobody has awaited, and says so.
ASYNCIO_API void destroy_unawaited(std::coroutine_handle<> frame) noexcept;

/// Destroys a frame whose awaiter goes before it has resumed: only when a task is torn down.
ASYNCIO_API void destroy_abandoned(std::coroutine_handle<> frame) noexcept;

template <class T>
struct Promise : PromiseBase {
  Result<T> result;

  Coro<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    result.emplace(std::forward<U>(value));
  }
};

template <class T>
struct Promise<T&> : PromiseBase {
  Result<T&> result;

  Coro<T&> get_return_object() noexcept;
  void return_value(T& value) noexcept { result.emplace(value); }
};

template <>
struct Promise<void> : PromiseBase {
  [[no_unique_address]] Result<void> result;

  Coro<void> get_return_object() noexcept;
  void return_void() noexcept {}
};

/// Runs a child in the awaiting frame's task.
class ChildWait : public Awaiter {
 public:
  explicit ChildWait(FrameHandle child) noexcept : child_(child) {}
  ~ChildWait() {
    if (child_) [[unlikely]] destroy_abandoned(child_);
  }

  bool await_ready() const noexcept { return false; }
  ASYNCIO_INLINE std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) noexcept {
    PromiseBase::promise_of(child_).parent = &PromiseBase::promise_of(parent);
    return transfer(child_);
  }

 protected:
  struct Frame {
    FrameHandle handle;
    ~Frame() { handle.destroy(); }
  };

  FrameHandle child_;
};

/// Gives the child's result.
template <class T>
class [[nodiscard]] ChildAwaiter : public ChildWait {
 public:
  using ChildWait::ChildWait;

  ASYNCIO_INLINE T await_resume() {
    auto& promise = static_cast<Promise<T>&>(PromiseBase::promise_of(child_));
    if (promise.standing.failed()) [[unlikely]] {
      child_ = nullptr;
      asyncio_raise(error_of_child(promise));
    }
    // The awaiter's destructor may not run at once: a value that throws in its move leaves it.
    const Frame frame{taken(child_)};
    return promise.result.take();
  }
};

/// Runs a child like ChildAwaiter, but gives its promise instead of raising: for the library's own
/// frames, which decide what an error becomes.
template <class T>
class ChildEnd {
 public:
  explicit ChildEnd(FrameHandle child) noexcept
      : child_(child),
        parent_(PromiseBase::promise_of(child).parent),
        error_(PromiseBase::promise_of(child).standing.take_error()) {
    if (error_) destroy_failed(PromiseBase::promise_of(taken(child_)));
  }
  ChildEnd(ChildEnd&& other) noexcept
      : child_(taken(other.child_)),
        parent_(other.parent_),
        error_(std::move(other.error_)) {}
  ChildEnd& operator=(ChildEnd&&) = delete;
  ~ChildEnd() {
    if (child_) child_.destroy();
  }

  std::exception_ptr& error() noexcept { return error_; }
  /// Unless there was an error.
  decltype(auto) take() {
    return static_cast<Promise<T>&>(PromiseBase::promise_of(child_)).result.take();
  }
  /// Raises the error, if there is one, in the frame that awaited the child.
  ASYNCIO_INLINE void raise() {
    if (error_) asyncio_raise(raised_in(*parent_, std::move(error_)));
  }

 private:
  FrameHandle child_;  // null if it has failed
  PromiseBase* parent_;
  std::exception_ptr error_;
};

template <class T>
class [[nodiscard]] SettleAwaiter : public ChildWait {
 public:
  using ChildWait::ChildWait;

  ChildEnd<T> await_resume() noexcept { return ChildEnd<T>(taken(child_)); }
};

}  // namespace asyncio::inline v0::detail
