// Sleeping until another thread changes a number.
// SPDX-License-Identifier: MIT
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <cstdint>

namespace asyncio::inline v0::detail {

/// A std::uint32_t, as it is or as a std::atomic.
template <class Word>
concept futex_word = sizeof(Word) == sizeof(std::uint32_t);

/// Sleeps while `word` is `seen`; may wake for no reason. `nanoseconds`: at most that long,
/// negative for no limit. Not std::atomic::wait, which spins first and has no limit.
template <futex_word Word>
void futex_wait(Word& word, std::uint32_t seen, std::int64_t nanoseconds = -1) noexcept {
  constexpr std::int64_t second = 1'000'000'000;
  const timespec limit{nanoseconds / second, nanoseconds % second};
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nanoseconds < 0 ? nullptr : &limit, nullptr,
            0);
}

template <futex_word Word>
void futex_wake_one(Word& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}
template <futex_word Word>
void futex_wake_all(Word& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace asyncio::inline v0::detail
