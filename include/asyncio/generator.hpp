// AsyncGenerator<T>: a coroutine that yields many values, one for each next().
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/taken.hpp>
#include <asyncio/detail/core/promise.hpp>
#include <asyncio/detail/core/task_state.hpp>

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {

template <class T>
class AsyncGenerator;

namespace detail {

/// What a generator's frame has in common for every T.
///
///     state   | the body           | next()       | aclose()                  | destruction
///     fresh   | has not begun      | begins it    | ends it without a run     | destroys it
///     running | runs, or awaits    | RuntimeError | RuntimeError              | gives it up
///     yielded | stands at co_yield | goes on      | GeneratorExit at co_yield | destroys it
///     ended   | is gone            | empty        | nothing                   | nothing
///
/// A body that is given up while it runs belongs to the pending next() or aclose(). That step ends
/// as it would have, destroys the body and throws what the body threw. A next() that would give a
/// value, or empty, throws RuntimeError instead: its reader would ask a generator that is gone.
struct GeneratorPromise : PromiseBase {
  enum class State : unsigned char { fresh, running, yielded, ended };

  GeneratorPromise** owner = nullptr;  // the AsyncGenerator's pointer to this; null: given up
  State state = State::fresh;
  bool closing = false;  // GeneratorExit is to be thrown at the co_yield

  ~GeneratorPromise() {
    if (owner) *owner = nullptr;  // torn down with the task that was in next()
  }

  /// Gives the value to whoever asked, and waits to be asked again.
  struct Yield : Awaiter {
    explicit Yield(GeneratorPromise& of) noexcept : promise(of) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept {
      promise.state = State::yielded;
      return return_to(*promise.parent);
    }
    void await_resume() {
      if (promise.closing) [[unlikely]] throw_generator_exit();
    }
    [[noreturn]] ASYNCIO_API static void throw_generator_exit();
    GeneratorPromise& promise;
  };

  struct FinalYield {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> me) noexcept {
      auto& promise = static_cast<GeneratorPromise&>(promise_of(me));
      promise.state = State::ended;
      return return_to(*promise.parent);
    }
    void await_resume() noexcept {}
  };
  FinalYield final_suspend() noexcept { return {}; }
  void return_void() noexcept {}

  /// The AsyncGenerator goes. What runs belongs to a task, which must find its frames.
  void drop() noexcept {
    if (state == State::running) [[unlikely]] owner = nullptr;
    else handle_of(*this).destroy();
  }
};

[[noreturn]] ASYNCIO_API void throw_generator_running(const char* what);

/// Runs the body to its next co_yield or its end.
class ASYNCIO_API GeneratorStep : public Awaiter {
 public:
  GeneratorStep(GeneratorPromise* generator, bool close) : generator_(generator), close_(close) {
    using State = GeneratorPromise::State;
    if (generator && generator->state == State::running) {
      throw_generator_running(close ? "aclose" : "next");
    }
  }

  bool await_ready() const noexcept {
    using State = GeneratorPromise::State;
    return !generator_ || generator_->state == State::ended ||
           (close_ && generator_->state == State::fresh);
  }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) noexcept {
    generator_->parent = &PromiseBase::promise_of(parent);
    generator_->state = GeneratorPromise::State::running;
    generator_->closing = close_;
    return transfer(PromiseBase::handle_of(*generator_));
  }

 protected:
  /// True if the body stands at a co_yield. Raises what it threw.
  ASYNCIO_INLINE bool yielded() {
    if (!generator_) return false;
    if (generator_->standing.failed()) [[unlikely]] asyncio_raise(error());
    if (!generator_->owner) [[unlikely]] throw_given_up();
    return generator_->state == GeneratorPromise::State::yielded;
  }
  /// After a close: raises what the body threw, but for GeneratorExit; RuntimeError if it yielded.
  ASYNCIO_INLINE void closed() {
    if (const Raised error = error_of_close()) [[unlikely]] asyncio_raise(error);
  }

  GeneratorPromise* generator_;  // null: moved from, or closed
  bool close_;

 private:
  Raised error() noexcept;
  [[noreturn]] void throw_given_up();
  /// Null if there is nothing to raise.
  Raised error_of_close();
};

template <class T>
struct YieldPromise : GeneratorPromise {
  using Value = std::remove_reference_t<T>;
  template <class U>
  static constexpr bool is_value = std::is_same_v<std::remove_cvref_t<U>, std::remove_cv_t<T>>;

  AsyncGenerator<T> get_return_object() noexcept;

  // What next() gives is moved from `current`, which lives in the generator's frame until it is
  // asked again: a temporary, what the body moves away, or a copy.
  Yield yield_value(Value& value) noexcept
    requires(std::is_reference_v<T>)
  {
    return yield_from(value);
  }
  Yield yield_value(Value&& value) noexcept
    requires(!std::is_reference_v<T>)
  {
    return yield_from(value);
  }
  /// A variable, which the body keeps, or `co_yield f()` where f's value is not quite a T.
  template <class U>
    requires(!std::is_reference_v<T> && (is_value<U> || std::is_convertible_v<U, T>))
  auto yield_value(U&& value) {
    if constexpr (!is_value<U>) {
      return YieldConverted<T>(*this, std::forward<U>(value));
    } else if constexpr (!std::is_constructible_v<T, U>) {
      static_assert(std::is_constructible_v<T, U>,
                    "asyncio: a generator copies the variable that it yields, and this one cannot "
                    "be copied: write co_yield std::move(x)");
      return yield_from(value);
    } else if constexpr (std::is_trivially_constructible_v<T, U> &&
                         std::is_trivially_constructible_v<T, Value>) {
      return yield_from(const_cast<Value&>(value));  // to move it is to copy it
    } else {
      return YieldConverted<T>(*this, value);
    }
  }
  Yield yield_from(Value& value) noexcept {
    current = __builtin_addressof(value);
    return Yield(*this);
  }

  Value* current = nullptr;

  /// Keeps what it makes of what is yielded: a copy, or a T.
  template <class V>
  struct YieldConverted : Yield {
    template <class U>
    YieldConverted(YieldPromise& of, U&& given) : Yield(of), value(std::forward<U>(given)) {
      of.current = __builtin_addressof(value);
    }
    V value;
  };
};

template <class T>
class [[nodiscard]] NextAwaiter : public GeneratorStep {
 public:
  explicit NextAwaiter(GeneratorPromise* generator) : GeneratorStep(generator, false) {}
  ASYNCIO_INLINE auto await_resume() {
    if constexpr (std::is_reference_v<T>) {
      return yielded() ? static_cast<YieldPromise<T>*>(generator_)->current : nullptr;
    } else {
      std::optional<T> item;
      if (yielded()) item.emplace(std::move(*static_cast<YieldPromise<T>*>(generator_)->current));
      return item;
    }
  }
};

class [[nodiscard]] CloseAwaiter : public GeneratorStep {
 public:
  explicit CloseAwaiter(GeneratorPromise* generator) : GeneratorStep(generator, true) {}
  ASYNCIO_INLINE void await_resume() { closed(); }
};

}  // namespace detail

/// What an `async def` with a `yield` in it is in Python.
///
///     asyncio::AsyncGenerator<int> count() {
///       for (int i = 0;; ++i) { co_await tick(); co_yield i; }
///     }
///     auto numbers = count();
///     while (auto n = co_await numbers.next()) use(*n);
///
/// The body runs in the task and context of whoever asks. Dropped at a co_yield it is closed: its
/// locals are destroyed. A body whose clean-up awaits needs `co_await gen.aclose()` [R78].
/// `co_yield x` of a variable copies it; a temporary, or std::move(x), is moved.
/// Dropped, or assigned over, while a next() is pending in another task: the body goes on to its
/// next co_yield and is closed there.
///
/// Throws:  RuntimeError from next() while another next() is under way; from a pending next() whose
///          generator was dropped meanwhile.
/// Cancel:  a cancellation in next() passes through the body and ends it.
/// Python:  an asynchronous generator.
template <class T>
class [[nodiscard("asyncio: this generator does not run: co_await its next()")]] AsyncGenerator {
 public:
  using promise_type = detail::YieldPromise<T>;

  AsyncGenerator(AsyncGenerator&& other) noexcept
      : generator_(detail::taken(other.generator_)) {
    adopt();
  }
  AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
    detail::swap_plain(generator_, other.generator_);
    adopt();
    other.adopt();
    return *this;
  }
  ~AsyncGenerator() {
    if (generator_) generator_->drop();
  }

  class [[nodiscard("asyncio: this asks for nothing: co_await it")]] Next {
   public:
    explicit Next(detail::GeneratorPromise* generator) noexcept : generator_(generator) {}
    detail::NextAwaiter<T> operator co_await() && { return detail::NextAwaiter<T>(generator_); }

   private:
    detail::GeneratorPromise* generator_;
  };
  class [[nodiscard("asyncio: this does not close: co_await it")]] Close {
   public:
    explicit Close(detail::GeneratorPromise* generator) noexcept : generator_(generator) {}
    detail::CloseAwaiter operator co_await() && { return detail::CloseAwaiter(generator_); }

   private:
    detail::GeneratorPromise* generator_;
  };

  /// std::optional<T>, or T* for an AsyncGenerator<T&>; empty after the last. After an error or the
  /// end it is empty for ever.
  Next next() noexcept { return Next(generator_); }
  /// Throws GeneratorExit at the co_yield and waits for the body's clean-up.
  /// Throws:  RuntimeError if the body yields again; what the clean-up throws.
  Close aclose() noexcept { return Close(generator_); }

 private:
  friend promise_type;
  explicit AsyncGenerator(promise_type& promise) noexcept : generator_(&promise) { adopt(); }

  void adopt() noexcept {
    if (generator_) generator_->owner = &generator_;
  }

  detail::GeneratorPromise* generator_;
};

template <class T>
inline AsyncGenerator<T> detail::YieldPromise<T>::get_return_object() noexcept {
  return AsyncGenerator<T>(*this);
}

}  // namespace asyncio::inline v0
