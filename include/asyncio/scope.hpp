// with, finally, try_, AsyncExitStack: what needs an await on the way out.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/combine/body.hpp>
#include <asyncio/outcome.hpp>
#include <asyncio/task.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

namespace detail {

/// Reports `error`, which `by` has replaced, unless `by` carries it or it is a cancellation.
ASYNCIO_API void report_replaced(const std::exception_ptr& error,
                                 const std::exception_ptr& by) noexcept;

// The frames of the way out are made before the way in: without memory for them the clean-up that
// is owed would not be called.

template <class Cleanup>
Coro<> run_cleanup(Cleanup& cleanup) {
  if constexpr (awaitable<std::invoke_result_t<Cleanup&>>) co_await cleanup();
  else cleanup();
  co_return;
}

template <class F, class... Args>
Coro<BodyValue<F, NoFirst, Args...>> run_body(F& body, Args&... args) {
  NoFirst none;
  co_return co_await call_body<F, NoFirst, Args...>(body, none, args...);
}

template <class F, class Cleanup>
Coro<BodyValue<F, NoFirst>> finally_scope(F body, Cleanup cleanup) {
  Coro<> way_out = run_cleanup<Cleanup>(cleanup);
  auto end = co_await settle(run_body<F>(body));
  auto cleaned = co_await settle(std::move(way_out));
  if (cleaned.error()) {
    report_replaced(end.error(), cleaned.error());
    cleaned.raise();
  }
  end.raise();
  co_return end.take();
}

template <class F, class... Args>
Coro<Outcome<BodyValue<F, NoFirst, Args...>>> try_scope(F body, Args... args) {
  using T = BodyValue<F, NoFirst, Args...>;
  auto end = co_await settle(run_body<F, Args...>(body, args...));
  if (end.error()) co_return Outcome<T>(std::move(end.error()));
  if constexpr (std::is_void_v<T>) co_return Outcome<T>();
  else if constexpr (std::is_reference_v<T>) co_return Outcome<T>(__builtin_addressof(end.take()));
  else co_return Outcome<T>(end.take());
}

template <class R>
concept resource = requires(R& resource, std::exception_ptr error) {
  requires awaitable<decltype(resource.aenter())>;
  requires awaitable<decltype(resource.aexit(error))>;
};

template <class R>
using Entered = AwaitResult<decltype(std::declval<R&>().aenter())>;

/// What the body is called with: what aenter() gives, or else the resource.
template <class R, class F, class... Args>
auto with_body_coro() {
  if constexpr (std::is_void_v<Entered<R>>) return body_coro<F, R, Args...>();
  else return body_coro<F, std::remove_reference_t<Entered<R>>, Args...>();
}
template <class R, class F, class... Args>
using WithValue =
    typename CoroValue<typename decltype(with_body_coro<R, F, Args...>())::type>::type;

template <class R, class F, class... Args>
Coro<WithValue<R, F, Args...>> enter_and_run(R& resource, F& body, bool& entered, Args&... args) {
  if constexpr (std::is_void_v<Entered<R>>) {
    co_await resource.aenter();
    entered = true;
    co_return co_await call_body<F, R, Args...>(body, resource, args...);
  } else {
    auto&& value = co_await resource.aenter();
    entered = true;
    co_return co_await call_body<F, std::remove_reference_t<Entered<R>>, Args...>(body, value,
                                                                                  args...);
  }
}

template <class R>
Coro<> leave_resource(R& resource, const std::exception_ptr& error) {
  co_await resource.aexit(error);
}

template <class HeldResource, class R, class F, class... Args>
Coro<WithValue<R, F, Args...>> with_scope(HeldResource held, F body, Args... args) {
  R& resource = held.get();
  bool entered = false;
  std::exception_ptr error;
  Coro<> way_out = leave_resource<R>(resource, error);
  auto end = co_await settle(enter_and_run<R, F, Args...>(resource, body, entered, args...));
  if (entered) {
    error = end.error();
    auto left = co_await settle(std::move(way_out));
    if (left.error()) {
      report_replaced(error, left.error());
      left.raise();
    }
  }
  end.raise();
  co_return end.take();
}

template <class R>
class BorrowedResource {
 public:
  explicit BorrowedResource(R& resource) noexcept : resource_(__builtin_addressof(resource)) {}
  R& get() const noexcept { return *resource_; }

 private:
  R* resource_;
};
template <class R>
class OwnedResource {
 public:
  explicit OwnedResource(R&& resource) : resource_(std::move(resource)) {}
  R& get() noexcept { return resource_; }

 private:
  R resource_;
};

}  // namespace detail

/// Runs `body`, then `cleanup`, however body ended; an awaitable that cleanup returns is awaited.
///
///     co_await asyncio::finally([&]() -> asyncio::Coro<> { co_await work(); },
///                               [&]() -> asyncio::Coro<> { co_await close(); });
///
/// The body begins in any case, and cleanup runs exactly once. An error of cleanup replaces the
/// body's, which is then reported, unless the new one carries it: nested
/// (std::throw_with_nested) or in a group.
///
/// Cancel:  a cancellation is delivered to the body; cleanup runs after it undisturbed, until a
///          second request interrupts it [R21].
/// Python:  try: ... finally: await ...
template <class Body, class Cleanup>
auto finally(Body&& body, Cleanup&& cleanup) {
  return detail::finally_scope<detail::KeptBody<Body>, detail::KeptBody<Cleanup>>(
      detail::keep_body<Body>(body), detail::keep_body<Cleanup>(cleanup));
}

/// Runs `body` and gives its Outcome: a handler that awaits is an `if` behind it.
///
///     auto outcome = co_await asyncio::try_([&]() -> asyncio::Coro<> { co_await work(); });
///     if (outcome.exception()) co_await repair();
///
/// Cancel:  a cancellation of the caller is the outcome, and stays counted.
/// Python:  try: ... except: await ...
template <class Body, class... Args>
auto try_(Body&& body, Args... args) {
  return detail::try_scope<detail::KeptBody<Body>, Args...>(detail::keep_body<Body>(body),
                                                            std::move(args)...);
}

/// Enters a resource, runs `body(r)` and leaves the resource, however body ended.
///
/// A resource has `aenter()` and `aexit(std::exception_ptr)`, both awaitable. What aenter() gives,
/// if anything, goes to the body; else the resource itself. If aenter() throws, aexit() is not
/// called; aexit() cannot swallow the body's error, and what it throws replaces that, as in
/// finally(). An lvalue is borrowed, an rvalue moved in.
/// Python:  async with.
template <class Resource, class Body, class... Args>
auto with(Resource&& resource, Body&& body, Args... args) {
  using R = std::remove_reference_t<Resource>;
  static_assert(detail::resource<R>,
                "asyncio: a resource of with() has aenter() and aexit(std::exception_ptr), both "
                "awaitable");
  if constexpr (std::is_lvalue_reference_v<Resource>) {
    return detail::with_scope<detail::BorrowedResource<R>, R, detail::KeptBody<Body>, Args...>(
        detail::BorrowedResource<R>(resource), detail::keep_body<Body>(body), std::move(args)...);
  } else {
    static_assert(!detail::fragile_temporary<R>,
                  "asyncio: g++ 12 destroys a temporary of this aggregate type twice: give it a "
                  "name and pass that, or give the type a constructor");
    return detail::with_scope<detail::OwnedResource<R>, R, detail::KeptBody<Body>, Args...>(
        detail::OwnedResource<R>(std::move(resource)), detail::keep_body<Body>(body),
        std::move(args)...);
  }
}

namespace detail {

/// One thing to do when an AsyncExitStack unwinds.
struct ASYNCIO_API ExitAction {
  ExitAction() = default;
  ExitAction(const ExitAction&) = delete;
  ExitAction& operator=(const ExitAction&) = delete;
  virtual ~ExitAction() = default;
  /// `error` outlives the call.
  virtual Coro<> run(const std::exception_ptr& error) = 0;

  ExitAction* before = nullptr;  // the one that was entered before this one
};

template <class R>
struct LeaveResource final : ExitAction {
  template <class Given>
  explicit LeaveResource(Given&& given) : resource(std::forward<Given>(given)) {}
  Coro<> run(const std::exception_ptr& error) override { return leave_resource(resource, error); }
  R resource;  // a reference for what the caller keeps
};

template <class F>
struct RunCleanup final : ExitAction {
  explicit RunCleanup(F given) : cleanup(std::move(given)) {}
  Coro<> run(const std::exception_ptr&) override {
    if constexpr (awaitable<std::invoke_result_t<F&>>) co_await cleanup();
    else cleanup();
    co_return;
  }
  F cleanup;
};

}  // namespace detail

/// A resource that holds others, entered one by one at run time, and leaves them in reverse order.
///
///     co_await asyncio::with(asyncio::AsyncExitStack(), [&](auto& stack) -> asyncio::Coro<> {
///       for (auto& file : files) co_await stack.enter(file);
///       ...
///     });
///
/// Python:  contextlib.AsyncExitStack.
class ASYNCIO_API AsyncExitStack {
 public:
  AsyncExitStack() noexcept = default;
  AsyncExitStack(AsyncExitStack&& other) noexcept : last_(detail::taken(other.last_)) {}
  AsyncExitStack& operator=(AsyncExitStack&&) = delete;
  /// What was not unwound is dropped; unwind by with() or aclose().
  ~AsyncExitStack();

  /// Enters a resource now and leaves it at the end: an lvalue is borrowed, an rvalue moved in.
  /// Gives what its aenter() gives.
  template <class Resource>
  auto enter(Resource&& resource) {
    using Kept = std::conditional_t<std::is_lvalue_reference_v<Resource>, Resource,
                                    std::remove_cvref_t<Resource>>;
    static_assert(std::is_lvalue_reference_v<Resource> || !detail::fragile_temporary<Kept>,
                  "asyncio: g++ 12 destroys a temporary of this aggregate type twice: give it a "
                  "name and pass that, or give the type a constructor");
    using Action = detail::LeaveResource<Kept>;
    return enter_kept<Action>(*this, Owner(new Action(std::forward<Resource>(resource))));
  }
  /// Calls `cleanup()` at the end; an awaitable that it returns is awaited.
  template <class F>
  void push_async(F cleanup) {
    push(Owner(new detail::RunCleanup<F>(std::move(cleanup))));
  }

  /// Unwinds now: the last that was entered first. An error of one replaces the one before, as in
  /// finally().
  Coro<> aclose() { return unwind(nullptr); }

  Coro<> aenter();
  Coro<> aexit(std::exception_ptr error) { return unwind(std::move(error)); }

 private:
  class Owner {
   public:
    explicit Owner(detail::ExitAction* action) noexcept : action_(action) {}
    Owner(Owner&& other) noexcept : action_(detail::taken(other.action_)) {}
    Owner& operator=(Owner&&) = delete;
    ~Owner() { delete action_; }
    detail::ExitAction& get() const noexcept { return *action_; }
    detail::ExitAction* release() noexcept { return detail::taken(action_); }

   private:
    detail::ExitAction* action_;
  };

  template <class Action>
  static Coro<detail::Entered<decltype((std::declval<Action&>().resource))>> enter_kept(
      AsyncExitStack& stack, Owner owner) {
    auto& resource = static_cast<Action&>(owner.get()).resource;
    if constexpr (std::is_void_v<detail::Entered<decltype(resource)>>) {
      co_await resource.aenter();
      stack.push(std::move(owner));
    } else {
      decltype(auto) value = co_await resource.aenter();
      stack.push(std::move(owner));
      co_return static_cast<decltype(value)&&>(value);
    }
  }

  void push(Owner action) noexcept;
  Coro<> unwind(std::exception_ptr error);

  detail::ExitAction* last_ = nullptr;  // owned, with those before it
};

}  // namespace asyncio::inline v0
