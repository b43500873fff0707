// What the library throws, under Python's names.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>
#include <asyncio/detail/base/shared.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::inline v0 {

/// Comes out of a co_await when the task was asked to end; let it pass, after cleaning up.
///
/// Not a std::exception, so that `catch (const std::exception&)` lets it pass.
/// Python:  asyncio.CancelledError, a BaseException.
class ASYNCIO_API CancelledError final {
 public:
  CancelledError() noexcept = default;
  explicit CancelledError(std::string_view message);

  /// What was given to cancel().
  std::string_view message() const noexcept;

 private:
  detail::Shared<std::string> message_;  // null: no message
};

/// Leaves run() after Ctrl-C. Not a std::exception.
class ASYNCIO_API KeyboardInterrupt {};

/// Leaves run() at once, from wherever it is thrown; after SIGTERM its code is 143.
struct ASYNCIO_API SystemExit {
  int code = 0;
};

/// Thrown at the co_yield of a generator that is closed. Not a std::exception.
class ASYNCIO_API GeneratorExit {};

/// Something was done that the state of things does not allow: a fault of the program.
class ASYNCIO_API RuntimeError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A task or future was asked for what it does not have yet, or was given what it already has.
class ASYNCIO_API InvalidStateError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

/// A time limit has passed.
class ASYNCIO_API TimeoutError : public std::system_error {
 public:
  TimeoutError();
  explicit TimeoutError(const std::string& what);

  const char* what() const noexcept override;

 private:
  detail::Shared<std::string> what_;  // null: the usual words
};

/// A ContextVar has no value in the current context.
class ASYNCIO_API LookupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// get_nowait() found the queue empty.
class ASYNCIO_API QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty();
};

/// put_nowait() found the queue full.
class ASYNCIO_API QueueFull : public std::runtime_error {
 public:
  QueueFull();
};

/// The queue was shut down: it takes nothing more and, once it is empty, gives nothing more.
class ASYNCIO_API QueueShutDown : public std::runtime_error {
 public:
  QueueShutDown();
};

/// The barrier was reset or aborted while the task waited, or was aborted before.
class ASYNCIO_API BrokenBarrierError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Nothing can ever happen again and the main task still waits; only testing::run() says so.
class ASYNCIO_API Deadlock : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {
// A template, so that only who splits a group compiles what is in it. For the same reason what
// gives one is `auto`: g++ compiles a return type that is named, even of a template nobody calls.
template <class Group>
struct SplitGroup {
  std::optional<Group> matched;
  std::optional<Group> rest;
};
}  // namespace detail

/// Several errors at once, as a task group that failed throws them; groups may hold groups.
///
///     try { co_await asyncio::task_group(body); }
///     catch (const asyncio::ExceptionGroup& group) {
///       auto rest = group.handle<MyError>([](const MyError& error) { report(error); });
///       if (rest) throw *rest;
///     }
///
/// Python:  ExceptionGroup; `except*` is handle().
class ASYNCIO_API ExceptionGroup : public std::runtime_error {
 public:
  using Split = detail::SplitGroup<ExceptionGroup>;

  /// Throws:  std::invalid_argument if `exceptions` is empty or holds a null pointer.
  ExceptionGroup(std::string_view message, std::vector<std::exception_ptr> exceptions);
  ExceptionGroup(const ExceptionGroup& other) noexcept;
  ExceptionGroup& operator=(const ExceptionGroup& other) noexcept;
  ~ExceptionGroup() override;

  std::string_view message() const noexcept;
  const std::vector<std::exception_ptr>& exceptions() const noexcept;

  /// Parts the group by type, at any depth, into a Split; both parts keep the shape of the tree.
  /// A group is parted and not matched, unless E is ExceptionGroup or derives from it: here it is a
  /// std::runtime_error only so that C++ code can catch it.
  template <class E>
  auto split() const {
    return split_if({&is_a<E>, std::is_base_of_v<ExceptionGroup, E>}, nullptr);
  }

  /// Only the errors that are an E, as a std::optional<ExceptionGroup>; empty if there is none.
  template <class E>
  auto subgroup() const {
    return split<E>().matched;
  }

  /// Calls `fn(const E&)` for every E at any depth and returns the others, as subgroup() would.
  template <class E, class Fn>
  auto handle(Fn fn) const;

 private:
  struct Content;
  struct Matcher {
    bool (*matches)(const std::exception_ptr&, void*);
    bool takes_groups;  // whole
  };

  template <class E>
  static bool is_a(const std::exception_ptr& error, void*) {
    try {
      std::rethrow_exception(error);
    } catch (const E&) {
      return true;
    } catch (...) {
      return false;
    }
  }
  Split split_if(Matcher matcher, void* argument) const;

  detail::Shared<Content> content_;
};

template <class E, class Fn>
auto ExceptionGroup::handle(Fn fn) const {
  // What fn throws must leave, not be taken for "no match": so the match is kept and fn called
  // outside the handler that looks at the type.
  struct Call {
    Fn& fn;
    const E* found = nullptr;
  } call{fn};
  return split_if(
             {[](const std::exception_ptr& error, void* argument) {
               auto& target = *static_cast<Call*>(argument);
               target.found = nullptr;
               try {
                 std::rethrow_exception(error);
               } catch (const E& match) {
                 target.found = __builtin_addressof(match);  // lives on: `error` holds it
               } catch (...) {
               }
               if (target.found) target.fn(*target.found);
               return target.found != nullptr;
             }, std::is_base_of_v<ExceptionGroup, E>},
             &call)
      .rest;
}

}  // namespace asyncio::inline v0
