// A callable that is owned, moved and never copied; <functional> without its weight.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>

#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  UniqueFunction(F&& callable)  // NOLINT: converting, as std::function
      : box_(new Held<std::decay_t<F>>(std::forward<F>(callable))) {}
  UniqueFunction(UniqueFunction&& other) noexcept : box_(taken(other.box_)) {}
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    swap_plain(box_, other.box_);
    return *this;
  }
  ~UniqueFunction() { delete box_; }

  explicit operator bool() const noexcept { return box_ != nullptr; }
  R operator()(Args... args) const { return box_->call(std::forward<Args>(args)...); }

 private:
  struct Box {
    virtual ~Box() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Held final : Box {
    template <class G>
    explicit Held(G&& callable) : callable_(std::forward<G>(callable)) {}
    R call(Args... args) override { return callable_(std::forward<Args>(args)...); }
    F callable_;
  };

  Box* box_ = nullptr;
};

}  // namespace asyncio::inline v0::detail
