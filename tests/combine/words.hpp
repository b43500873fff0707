// How things end, in the words that semantics.md uses: C for CancelledError, T for TimeoutError.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/exceptions.hpp>

#include "support/async_test.hpp"

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio::test {

/// "C", "T", "KeyboardInterrupt", a group as "[a, [b, c]]", or what the error says.
inline std::string words_of(const std::exception_ptr& error) {
  if (!error) return "nothing";
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    return "C";
  } catch (const TimeoutError&) {
    return "T";
  } catch (const KeyboardInterrupt&) {
    return "KeyboardInterrupt";
  } catch (const SystemExit&) {
    return "SystemExit";
  } catch (const ExceptionGroup& group) {
    std::string text;
    for (const std::exception_ptr& each : group.exceptions()) {
      text += (text.empty() ? "" : ", ") + words_of(each);
    }
    return "[" + text + "]";
  } catch (const std::exception& other) {
    return other.what();
  }
}

/// How an awaitable ends: its int or string, "done" without a result, or the words of its error.
template <awaitable A>
Coro<std::string> end_of(A awaitable) {
  using T = std::remove_cvref_t<detail::AwaitResult<A>>;
  std::exception_ptr error;
  try {
    if constexpr (std::is_same_v<T, int>) {
      const int value = co_await std::move(awaitable);
      co_return std::to_string(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      co_return co_await std::move(awaitable);
    } else {
      co_await std::move(awaitable);
      co_return "done";
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_return words_of(error);
}

}  // namespace asyncio::test
