// race: the first to finish decides.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/gather.hpp>

#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <variant>

namespace asyncio::inline v0 {

namespace detail {

[[noreturn]] ASYNCIO_API void throw_empty_race();

template <class Variant, class... As, std::size_t... I>
Variant winner_value(JoinChild* children, std::size_t winner, std::index_sequence<I...>) {
  using Make = Variant (*)(JoinChild&);
  constexpr Make make[] = {+[](JoinChild& child) {
    return Variant(std::in_place_index<I>, value_of_child<As>(child));
  }...};
  return make[winner](children[winner]);
}

struct RaceArguments {
  static constexpr auto until = JoinSet::Until::first_done;
  template <class... As>
  static std::variant<GatheredValue<As>...> result_of(JoinSet& set, JoinChild* children) {
    return winner_value<std::variant<GatheredValue<As>...>, As...>(
        children, set.winner(), std::index_sequence_for<As...>());
  }
};

template <class Range>
Coro<std::pair<std::size_t, GatheredValue<RangeItem<Range>>>> race_range(Range range) {
  JoinSet set(true);
  JoinChildren children(count_of(range));
  if (children.size() == 0) throw_empty_race();
  RangeStarter<Range> starter(range);
  co_await join_children(
      set, JoinPlan{children.data(), children.size(), no_limit, JoinSet::Until::first_done},
      starter);
  const std::size_t winner = set.winner();
  co_return std::pair<std::size_t, GatheredValue<RangeItem<Range>>>(
      winner, value_of_child<RangeItem<Range>>(children[winner]));
}

}  // namespace detail

/// Runs everything at once; the first to finish decides, with its value, error or cancellation.
///
///     auto result = co_await asyncio::race(from_cache(key), from_origin(key));  // std::variant
///
/// The coroutines that lose are cancelled and joined before it returns; Tasks and Futures are left
/// running. If several finish in the same turn, the first argument of them wins. What a loser
/// fails with is reported if nobody asks for it.
///
/// Cancel:  cancels everything that was given and waits until all of it has ended.
template <awaitable... As>
  requires(sizeof...(As) > 0)
auto race(As... awaitables) {
  return detail::Arguments<detail::RaceArguments, As...>(std::move(awaitables)...);
}

/// The same for a range: which it was, and its value.
/// Throws:  std::invalid_argument for an empty range.
template <detail::awaitable_range Range>
  requires(!awaitable<Range>)
auto race(Range range) {
  return detail::race_range<Range>(std::move(range));
}

}  // namespace asyncio::inline v0
