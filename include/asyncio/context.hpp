// ContextVar, Context, copy_context: values that follow a task and those it makes.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/core/task_state.hpp>
#include <asyncio/exceptions.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

class Context;

namespace detail {

/// A value that contexts share; counted, from any thread.
struct ContextValue {
  ContextValue() = default;
  ContextValue(const ContextValue&) = delete;
  ContextValue& operator=(const ContextValue&) = delete;
  virtual ~ContextValue() = default;

  unsigned count = 0;
};

template <class T>
struct ContextValueOf final : ContextValue {
  template <class U>
  explicit ContextValueOf(U&& given) : value(std::forward<U>(given)) {}
  const T value;
};

using VariableId = std::uint64_t;
struct ContextAccess;

ASYNCIO_API VariableId new_variable() noexcept;
/// Null if the current context has no value for it.
ASYNCIO_API const ContextValue* find_variable(VariableId variable) noexcept;
/// Takes the value over; gives what is needed to undo it.
struct Undo {
  ContextState* context = nullptr;  // counted
  ContextValue* before = nullptr;   // counted; null: there was none
};
ASYNCIO_API Undo set_variable(VariableId variable, ContextValue* value);
/// Throws:  RuntimeError if `undo` was made in another context.
ASYNCIO_API void undo_variable(VariableId variable, Undo& undo);
ASYNCIO_API void drop_undo(Undo& undo) noexcept;

[[noreturn]] ASYNCIO_API void throw_no_value(std::string_view name);
[[noreturn]] ASYNCIO_API void throw_foreign_token(std::string_view name);

/// Makes a context the current one until it ends.
class ASYNCIO_API EnteredContext {
 public:
  /// Throws:  RuntimeError if it is null, or entered already.
  explicit EnteredContext(ContextState* context);
  EnteredContext(const EnteredContext&) = delete;
  EnteredContext& operator=(const EnteredContext&) = delete;
  ~EnteredContext();

 private:
  ContextState& context_;
  ContextSlot& slot_;
  ContextSlot outer_;
};

}  // namespace detail

/// A set of values for ContextVars; a cheap handle, copies mean the same context.
///
/// Throws:  RuntimeError from run() if the context is entered already, or was moved from.
/// Python:  contextvars.Context.
class ASYNCIO_API Context {
 public:
  /// An empty context.
  Context();
  Context(const Context& other) noexcept;
  Context(Context&& other) noexcept : state_(detail::taken(other.state_)) {}
  Context& operator=(Context other) noexcept {
    detail::swap_plain(state_, other.state_);
    return *this;
  }
  ~Context();

  /// Calls `fn(args...)` with this as the current context.
  template <class F, class... Args>
  decltype(auto) run(F&& fn, Args&&... args) const {
    const detail::EnteredContext entered(state_);
    return std::forward<F>(fn)(std::forward<Args>(args)...);
  }

  friend bool operator==(const Context& a, const Context& b) noexcept {
    return a.state_ == b.state_;
  }

 private:
  friend struct detail::ContextAccess;
  explicit Context(detail::ContextState* adopted) noexcept : state_(adopted) {}

  detail::ContextState* state_;
};

/// A copy of the current context.
ASYNCIO_API Context copy_context();

/// `fn` as a callable that runs in `context`: `loop.call_soon(in_context(context, fn))`.
template <class F>
auto in_context(Context context, F fn) {
  return [context = std::move(context), fn = std::move(fn)](auto&&... args) mutable
         -> decltype(auto) { return context.run(fn, std::forward<decltype(args)>(args)...); };
}

/// What ContextVar::set() gives, to take the value back with.
template <class T>
class Token {
 public:
  Token(Token&& other) noexcept
      : variable_(other.variable_), undo_(other.undo_) {
    other.variable_ = 0;
    other.undo_ = {};
  }
  Token& operator=(Token&& other) noexcept {
    detail::swap_plain(variable_, other.variable_);
    detail::swap_plain(undo_, other.undo_);
    return *this;
  }
  ~Token() { detail::drop_undo(undo_); }

 private:
  template <class>
  friend class ContextVar;
  Token(detail::VariableId variable, detail::Undo undo) noexcept
      : variable_(variable), undo_(undo) {}

  detail::VariableId variable_;
  detail::Undo undo_;
};

/// A variable that each task has a value of its own of: a task starts with those of the task that
/// made it, and what it sets others do not see [R85].
///
///     asyncio::ContextVar<std::string> user{"user", "nobody"};
///     auto scope = user.scoped_set("ada");   // until the end of the scope
///     log("hello from " + user.get());
///
/// May be a local variable: contexts keep its values, not its address.
///
/// Thread:  a plain thread begins with an empty context; to_thread() carries the caller's.
/// Python:  contextvars.ContextVar.
template <class T>
class ContextVar {
 public:
  explicit ContextVar(std::string_view name) : name_(name) {}
  template <class U = T>
  ContextVar(std::string_view name, U&& default_value)
      : name_(name), default_(std::in_place, std::forward<U>(default_value)) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// The reference is good until the variable is set again in this context.
  /// Throws:  LookupError if there is neither a value nor a default.
  const T& get() const {
    if (const T* value = find()) return *value;
    if (!default_) detail::throw_no_value(name_);
    return *default_;
  }
  /// The value, or else `fallback`; the default does not count.
  T get(T fallback) const {
    const T* value = find();
    return value ? *value : std::move(fallback);
  }

  template <class U = T>
  Token<T> set(U&& value) const {
    auto* box = new detail::ContextValueOf<T>(std::forward<U>(value));
    return Token<T>(id_, detail::set_variable(id_, box));
  }
  /// Throws:  RuntimeError for a token that was used, or made in another context;
  ///          std::invalid_argument for another variable's.
  void reset(Token<T>& token) const {
    if (token.variable_ != id_) detail::throw_foreign_token(name_);
    detail::undo_variable(id_, token.undo_);
  }
  void reset(Token<T>&& token) const { reset(token); }

  class [[nodiscard]] Scope {
   public:
    Scope(const ContextVar& variable, Token<T> token) noexcept
        : variable_(variable), token_(std::move(token)) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      try {
        variable_.reset(token_);
      } catch (const RuntimeError&) {  // ends in another context than it began in: leave that alone
      }
    }

   private:
    const ContextVar& variable_;
    Token<T> token_;
  };
  /// set() that takes itself back at the end of the scope.
  template <class U = T>
  Scope scoped_set(U&& value) const {
    return Scope(*this, set(std::forward<U>(value)));
  }

 private:
  const T* find() const noexcept {
    const detail::ContextValue* box = detail::find_variable(id_);
    return box ? &static_cast<const detail::ContextValueOf<T>*>(box)->value : nullptr;
  }

  const detail::VariableId id_ = detail::new_variable();
  std::string name_;
  std::optional<T> default_;
};

}  // namespace asyncio::inline v0
