// A call on its way to a thread and back.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/temporaries.hpp>
#include <asyncio/detail/base/where.hpp>
#include <asyncio/detail/core/callback.hpp>
#include <asyncio/detail/core/result.hpp>
#include <asyncio/detail/core/task_state.hpp>
#include <asyncio/detail/threads/stop.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0 {
class ThreadPool;
}

namespace asyncio::inline v0::detail {

class Gate;
class Pool;
class ThreadWait;
struct PoolAccess;

/// What is said of a call that does not end, or that fails when nobody waits any more.
struct CallName {
  const char* maker = "";      // new_call<..., F, ...>(), with all its types
  const void* code = nullptr;  // of a plain function
  Where awaited_at = nullptr;
};

/// A call, its arguments and its result; counted by who waits for it and, from submit() until it is
/// home again, by whoever has it.
///
///     stage     | next, and who decides it           | the call and its arguments
///     resting   | queued: submit()                   | there
///     queued    | running: the worker that takes it  | there
///               | withdrawn: abandon()               |
///     running   | home: Gate::bring_home()           | destroyed by the worker after the call
///     withdrawn | freed by the worker that finds it  | destroyed by abandon()
///
/// Only the step from queued is raced for. The worker writes result and error before it brings the
/// job home; from then on they are the loop's. A job never touches the pool it was given to, which
/// may be gone before it.
class ASYNCIO_API ThreadJob : public PostedCallback {
 public:
  /// Hands it to a thread of `pool`.
  /// Throws:  RuntimeError if the pool is shut down; std::system_error if there is no thread and
  ///          none can be started. Then it rests as before.
  void submit(LoopBase& where, Pool& pool);

  /// Makes the call and goes home. The worker's count is used up.
  void run() noexcept;
  /// For a job that no worker will take: it goes without having run.
  void discard() noexcept;

  /// From the loop's thread: nobody waits for it any more. If no worker has taken it, none will; if
  /// one has, the call is asked to stop and what comes of it is dropped, an error reported [R87].
  void abandon() noexcept;

  bool withdrawn() noexcept;

  CallName name;
  std::exception_ptr error;

 protected:
  ThreadJob() noexcept = default;
  /// Reports an error that nobody has taken.
  ~ThreadJob() override;

  /// Counts it out of the loop, for whoever gets it next; stay() takes that back.
  void set_out(LoopBase& where) noexcept;
  void stay() noexcept;

  /// Makes the call and keeps its result.
  virtual void invoke() = 0;
  virtual void ask_to_stop() noexcept {}

 private:
  enum class Stage : std::uint8_t { resting, queued, running, withdrawn };

  /// Decides what becomes of a queued job.
  bool leave_line(Stage to) noexcept;

  Stage stage_ = Stage::resting;  // looked at through std::atomic_ref, whose header is heavy
  Gate* gate_ = nullptr;          // counted while the job is out
};

/// A job that a task waits for.
class ASYNCIO_API AwaitedJob : public ThreadJob {
 public:
  /// Submits it to the default pool, with a copy of the caller's context [R86].
  virtual void begin(LoopBase& where);

  /// It is home.
  void call() override;

  ThreadWait* waiter = nullptr;  // null once nobody waits
};

/// Suspends until a job is home. A cancelled waiter leaves at once [R87].
class ASYNCIO_API ThreadWait : public Awaiter, public Waiter {
 public:
  /// Takes a count over.
  explicit ThreadWait(AwaitedJob& job) noexcept : job_(job) {}
  ~ThreadWait() { job_.release(); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> frame);

  bool cancel(CancelRequest& request) noexcept override;
  void leave() noexcept override;

 protected:
  /// Raises a cancellation of the waiter [R18], then what the call threw.
  ASYNCIO_INLINE void check() {
    if (task->take_cancel()) [[unlikely]] raise_cancelled();
    if (job_.error) [[unlikely]] asyncio_raise(error());
  }

  AwaitedJob& job_;

 private:
  Raised error() noexcept;
};

template <class R, class Base>
struct JobOf : Base {
  Result<R> result;
};

template <class R>
class [[nodiscard]] ThreadAwaiter : public ThreadWait {
 public:
  using ThreadWait::ThreadWait;
  ASYNCIO_INLINE R await_resume() {
    check();
    return static_cast<JobOf<R, AwaitedJob>&>(job_).result.take();
  }
};

/// True if `F(stop_token, args...)` is meant. A callable that takes any arguments is called with
/// those that were given.
template <class F, class... Args>
constexpr bool takes_stop_token() {
  if constexpr (std::is_invocable_v<F, Args...>) return false;
  else return std::is_invocable_v<F, StopToken, Args...>;
}

template <class F, class... Args>
constexpr auto call_result() {
  if constexpr (takes_stop_token<F, Args...>()) {
    return std::type_identity<std::invoke_result_t<F, StopToken, Args...>>{};
  } else {
    static_assert(std::is_invocable_v<F, Args...>,
                  "asyncio: the function cannot be called with these arguments in a thread: it "
                  "gets copies of them, moved in, after a std::stop_token if it takes one; write "
                  "std::ref(x) for what it is to change");
    return std::type_identity<std::invoke_result_t<F, Args...>>{};
  }
}
template <class F, class... Args>
using CallReturns = typename decltype(call_result<F, Args...>())::type;
/// What `fn(args...)` gives, as a result can keep it.
template <class F, class... Args>
using CallResult =
    std::conditional_t<std::is_lvalue_reference_v<CallReturns<F, Args...>>,
                       CallReturns<F, Args...>, std::remove_cvref_t<CallReturns<F, Args...>>>;

struct NoStop {};

/// The pool behind `pool`; behind the loop's default one for null, which is made when first asked
/// for.
ASYNCIO_API Pool& pool_of(LoopBase& loop, ThreadPool* pool);

/// A pool of one thread, which ends after what it was given; nobody waits for that.
class ASYNCIO_API LonePool {
 public:
  LonePool();
  LonePool(const LonePool&) = delete;
  LonePool& operator=(const LonePool&) = delete;
  ~LonePool();
  Pool& operator*() const noexcept { return *pool_; }

 private:
  Pool* pool_;
};

/// Has the job left behind when the loop closes.
ASYNCIO_API void add_errand(LoopBase& loop, Errand& errand) noexcept;

/// A pointer that keeps its pool, whatever its type.
struct Kept {
  virtual ~Kept() = default;
};
template <class Pointer>
struct KeptAs final : Kept {
  explicit KeptAs(Pointer&& given) noexcept : pointer(std::move(given)) {}
  Pointer pointer;
};
/// Takes `kept` over.
/// Throws:  std::invalid_argument for a null pool.
ASYNCIO_API void set_executor(LoopBase& loop, ThreadPool* pool, Kept* kept);

[[noreturn]] ASYNCIO_API void throw_empty_call();

/// `Base` with the call: a JobOf<R, ...>.
template <class Base, class F, class... Args>
class ThreadCall final : public Base {
  static constexpr bool stoppable = takes_stop_token<F, Args...>();

 public:
  template <class G, class... Given>
  explicit ThreadCall(G&& fn, Given&&... args)
      : bound_(std::in_place, std::forward<G>(fn), std::forward<Given>(args)...) {}

  void drop_callable() noexcept override { bound_.reset(); }

 private:
  void invoke() override {
    std::apply(
        [this](F& fn, Args&... args) {
          if constexpr (stoppable) {
            keep(std::move(fn), stop_.get_token(), std::move(args)...);
          } else {
            keep(std::move(fn), std::move(args)...);
          }
        },
        *bound_);
  }
  void ask_to_stop() noexcept override {
    if constexpr (stoppable) stop_.request_stop();
  }

  // std::apply calls as std::invoke does, which is in <functional>.
  template <class... Given>
  void keep(F&& fn, Given&&... given) {
    std::tuple<Given&&...> all(std::forward<Given>(given)...);
    if constexpr (std::is_void_v<CallReturns<F, Args...>>) {
      std::apply(std::move(fn), std::move(all));
    } else {
      this->result.emplace(std::apply(std::move(fn), std::move(all)));
    }
  }

  std::optional<std::tuple<F, Args...>> bound_;
  [[no_unique_address]] std::conditional_t<stoppable, StopSource, NoStop> stop_;
};

/// True if T has a call operator, be it a template: then that of Both is ambiguous.
struct Callable {
  void operator()();
};
template <class T>
struct Both : T, Callable {};
template <class T>
concept has_call_operator = !std::is_final_v<T> && !requires { &Both<T>::operator(); };

/// True for a fragile temporary, closures included: those show by being callable and having neither
/// a default constructor nor an assignment.
template <class T>
constexpr bool breaks_as_temporary() {
  using Object = std::remove_cvref_t<T>;
  if constexpr (!breaks_temporaries || std::is_lvalue_reference_v<T> ||
                !std::is_class_v<Object> || std::is_trivially_destructible_v<Object>) {
    return false;
  } else if constexpr (std::is_default_constructible_v<Object> ||
                       std::is_assignable_v<Object&, Object>) {
    return fragile_temporary<Object>;
  } else {
    return fragile_temporary<Object> || has_call_operator<Object>;
  }
}

template <class Job, class F, class... Args>
auto* new_call(F&& fn, Args&&... args) {
  static_assert(!breaks_as_temporary<F>(),
                "asyncio: g++ 12 destroys a temporary lambda that captures by value twice: give "
                "it a name first (auto work = [...]...; co_await to_thread(work)), which copies "
                "it, or pass a function and its arguments");
  static_assert((!breaks_as_temporary<Args>() && ...),
                "asyncio: g++ 12 destroys a temporary aggregate or lambda twice: give the "
                "argument a name first (Item item{...}; co_await to_thread(f, item)), which "
                "copies it");
  CallName name;
  name.maker = __PRETTY_FUNCTION__;
  if constexpr (std::is_pointer_v<std::decay_t<F>>) name.code = reinterpret_cast<const void*>(+fn);
  auto* const call = new ThreadCall<Job, std::decay_t<F>, std::decay_t<Args>...>(
      std::forward<F>(fn), std::forward<Args>(args)...);
  call->name = name;
  return call;
}

}  // namespace asyncio::inline v0::detail
