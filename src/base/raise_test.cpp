// Raises a few exceptions directly and by unwinding: does everybody see the same?
// SPDX-License-Identifier: MIT
#include "base/raise_test.hpp"

#include <asyncio/detail/base/raise.hpp>

#include <array>
#include <exception>
#include <typeinfo>
#include <utility>

namespace asyncio::inline v0::detail {
namespace {

/// What was seen, in order.
class Log {
 public:
  void note(int what) noexcept {
    if (count_ < seen_.size()) seen_[count_] = what;
    ++count_;
  }
  friend bool operator==(const Log&, const Log&) = default;

 private:
  std::array<int, 48> seen_{};
  std::size_t count_ = 0;
};

struct Left {
  int left;
};
struct Right {
  int right;
};
struct Both : Left, Right {
  explicit Both(int number) noexcept : Left{number}, Right{number + 1} {}
};

struct Witness {
  Log& log;
  int number;
  ~Witness() { log.note(number * 100 + std::uncaught_exceptions()); }
};

enum class How { directly, by_unwinding };

template <How how>
ASYNCIO_INLINE void raise(std::exception_ptr error) {
  if constexpr (how == How::directly) asyncio_raise(give_up(std::move(error)));
  else std::rethrow_exception(std::move(error));
}

void look_at_current(Log& log, const std::type_info& type) noexcept {
  const std::exception_ptr current = std::current_exception();
  log.note(current && *current.__cxa_exception_type() == type ? 1 : 2);
  log.note(std::uncaught_exceptions());
}

template <How how>
[[gnu::noinline]] void by_reference(Log& log) {
  try {
    const Witness outer{log, 1};
    try {
      const Witness inner{log, 2};
      raise<how>(std::make_exception_ptr(Both(7)));
    } catch (const Log&) {
      log.note(-1);
    }
  } catch (const Right& caught) {  // not where the object begins
    log.note(caught.right);
    look_at_current(log, typeid(Both));
  } catch (...) {
    log.note(-2);
  }
  log.note(std::uncaught_exceptions());
}

template <How how>
[[gnu::noinline]] void by_pointer(Log& log) {
  static const Both both(30);
  try {
    raise<how>(std::make_exception_ptr(&both));
  } catch (const Right* caught) {
    log.note(caught->right);
  } catch (...) {
    log.note(-3);
  }
}

template <How how>
[[gnu::noinline]] void by_nothing(Log& log) {
  std::exception_ptr kept;
  try {
    try {
      raise<how>(std::make_exception_ptr(12));
    } catch (...) {
      look_at_current(log, typeid(int));
      kept = std::current_exception();
      throw;
    }
  } catch (int caught) {
    log.note(caught);
  }
  // In the handler of another, and away again from a clean-up in between.
  try {
    std::rethrow_exception(std::exchange(kept, nullptr));
  } catch (...) {
    try {
      const Witness witness{log, 3};
      raise<how>(std::make_exception_ptr(Left{5}));
    } catch (Left caught) {
      log.note(caught.left);
      look_at_current(log, typeid(Left));
    } catch (...) {
      log.note(-4);
    }
    look_at_current(log, typeid(int));
  }
  log.note(std::current_exception() ? 1 : 0);
}

template <How how>
Log all() {
  Log log;
  for (int round = 0; round < 2; ++round) {  // looked up, and known
    by_reference<how>(log);
    by_pointer<how>(log);
    by_nothing<how>(log);
  }
  return log;
}

}  // namespace

bool direct_raise_works() noexcept {
  try {
    constexpr std::uint64_t raises = 8;
    const Log expected = all<How::by_unwinding>();
    const RaiseCounts before = raise_counts();
    const Log seen = all<How::directly>();
    const RaiseCounts after = raise_counts();
    return seen == expected && after.direct - before.direct == raises &&
           after.unwound == before.unwound;
  } catch (...) {
    return false;
  }
}

}  // namespace asyncio::inline v0::detail
