// Bodies: the callables that scopes such as timeout() and task_group() run.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/detail/base/temporaries.hpp>

#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

/// A body that the caller keeps: an lvalue.
template <class F>
class BorrowedBody {
 public:
  explicit BorrowedBody(F& body) noexcept : body_(__builtin_addressof(body)) {}
  template <class... Args>
    requires std::is_invocable_v<F&, Args...>
  decltype(auto) operator()(Args&&... args) const {
    return (*body_)(std::forward<Args>(args)...);
  }

 private:
  F* body_;
};

template <class Body>
using KeptBody = std::conditional_t<std::is_lvalue_reference_v<Body>,
                                    BorrowedBody<std::remove_reference_t<Body>>,
                                    std::remove_cvref_t<Body>>;

/// Borrows an lvalue, takes an rvalue over.
template <class Body>
KeptBody<Body> keep_body(std::remove_reference_t<Body>& body) {
  if constexpr (std::is_lvalue_reference_v<Body>) {
    return BorrowedBody<std::remove_reference_t<Body>>(body);
  } else {
    static_assert(!breaks_temporaries || std::is_trivially_destructible_v<Body>,
                  "asyncio: g++ 12 destroys a temporary lambda that captures by value twice: give "
                  "it a name first (auto body = [...]...; co_await timeout(5s, body)), or capture "
                  "by reference");
    return std::move(body);
  }
}

/// What a body called with `(First&, Args&...)`, or else with `(Args&...)`, returns.
template <class F, class First, class... Args>
constexpr auto body_coro() {
  if constexpr (std::is_invocable_v<F&, First&, Args&...>) {
    return std::type_identity<std::invoke_result_t<F&, First&, Args&...>>{};
  } else if constexpr (std::is_invocable_v<F&, Args&...>) {
    return std::type_identity<std::invoke_result_t<F&, Args&...>>{};
  } else {
    return std::type_identity<void>{};
  }
}

template <class C>
struct CoroValue {
  static_assert(is_coro<C>,
                "asyncio: a body is a callable that returns a coroutine: write "
                "[&](...) -> asyncio::Coro<T> { ... }, with a parameter for each argument");
  using type = void;
};
template <class T>
struct CoroValue<Coro<T>> {
  using type = T;
};

template <class F, class First, class... Args>
using BodyValue = typename CoroValue<typename decltype(body_coro<F, First, Args...>())::type>::type;

struct NoFirst {};

template <class F, class First, class... Args>
Coro<BodyValue<F, First, Args...>> call_body(F& body, First& first, Args&... args) {
  if constexpr (std::is_invocable_v<F&, First&, Args&...>) return body(first, args...);
  else return body(args...);
}

}  // namespace asyncio::inline v0::detail
