// gather, gather_settled, gather_limited: run several things at once and collect their results.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/combine/arguments.hpp>
#include <asyncio/detail/combine/join.hpp>
#include <asyncio/detail/core/value_in_std.hpp>
#include <asyncio/outcome.hpp>
#include <asyncio/task.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::inline v0 {

/// `limit`: how many run at a time; 0 for all.
struct GatherOptions {
  std::size_t limit = 0;
};

namespace detail {

template <class Range>
using RangeItem = std::remove_cvref_t<decltype(*std::begin(std::declval<Range&>()))>;

template <class Range>
concept awaitable_range = requires(Range& range) {
  std::begin(range) != std::end(range);
  requires awaitable<RangeItem<Range>>;
};

/// Starts the awaitables of a range, which are asked for in order.
template <class Range>
struct RangeStarter final : ChildStarter {
  explicit RangeStarter(Range& range) : next(std::begin(range)) {}
  void start(std::size_t, JoinChild& child) override {
    auto&& item = *next;
    start_child(item, child);
    ++next;
  }
  decltype(std::begin(std::declval<Range&>())) next;
};

/// What gather() and gather_settled() give for an awaitable.
template <class A>
using GatheredValue = ValueInStd<typename ChildOf<A>::Value>;
template <class A>
using GatheredOutcome = Outcome<typename ChildOf<A>::Value>;

inline JoinChild& next_child(JoinChild*& next) noexcept { return *next++; }

struct GatherArguments {
  static constexpr auto until = JoinSet::Until::first_failure;
  template <class... As>
  static std::tuple<GatheredValue<As>...> result_of(JoinSet&, JoinChild* next) {
    return {value_of_child<As>(next_child(next))...};
  }
};

struct SettleArguments {
  static constexpr auto until = JoinSet::Until::all;
  template <class... As>
  static std::tuple<GatheredOutcome<As>...> result_of(JoinSet&, JoinChild* next) {
    return {outcome_of_child<As>(next_child(next))...};
  }
};

template <class Range>
std::size_t count_of(Range& range) {
  return static_cast<std::size_t>(std::distance(std::begin(range), std::end(range)));
}

template <class Range>
Coro<std::vector<GatheredValue<RangeItem<Range>>>> gather_range(Range range, std::size_t limit) {
  JoinSet set(true);
  JoinChildren children(count_of(range));
  RangeStarter<Range> starter(range);
  co_await join_children(
      set, JoinPlan{children.data(), children.size(), limit, JoinSet::Until::first_failure},
      starter);
  std::vector<GatheredValue<RangeItem<Range>>> values;
  values.reserve(children.size());
  for (std::size_t i = 0; i < children.size(); ++i) {
    values.push_back(value_of_child<RangeItem<Range>>(children[i]));
  }
  co_return values;
}

template <class Range>
Coro<std::vector<GatheredOutcome<RangeItem<Range>>>> settle_range(Range range, std::size_t limit) {
  JoinSet set(true);
  JoinChildren children(count_of(range));
  RangeStarter<Range> starter(range);
  co_await join_children(
      set, JoinPlan{children.data(), children.size(), limit, JoinSet::Until::all}, starter);
  std::vector<GatheredOutcome<RangeItem<Range>>> outcomes;
  outcomes.reserve(children.size());
  for (std::size_t i = 0; i < children.size(); ++i) {
    outcomes.push_back(outcome_of_child<RangeItem<Range>>(children[i]));
  }
  co_return outcomes;
}

}  // namespace detail

/// Runs everything at once and gives the results in the order of the arguments: a tuple, with
/// std::monostate where there is none.
///
///     auto [user, posts] = co_await asyncio::gather(get_user(id), get_posts(id));
///
/// The first error goes out. Before it does, the coroutines that were given are cancelled and
/// joined; Tasks and Futures belong to somebody else and run on [R9, R26].
///
/// Cancel:  cancels everything that was given and waits until all of it has ended [R28]; what a
///          child then fails with is reported.
/// Python:  asyncio.gather, which leaves the rest running after an error.
template <awaitable... As>
  requires(sizeof...(As) > 0)
auto gather(As... awaitables) {
  return detail::Arguments<detail::GatherArguments, As...>(std::move(awaitables)...);
}
/// Nothing gives nothing, and does not wait.
ASYNCIO_API Coro<std::tuple<>> gather();

/// The same for a range, moved in or of Tasks: a vector. `limit` runs at most so many at a time.
template <detail::awaitable_range Range>
  requires(!awaitable<Range>)
auto gather(Range range, GatherOptions options = {}) {
  return detail::gather_range<Range>(std::move(range),
                                     options.limit ? options.limit : detail::no_limit);
}

/// gather() that gives an Outcome for each and never throws for one of them.
/// Python:  asyncio.gather(return_exceptions=True).
template <awaitable... As>
  requires(sizeof...(As) > 0)
auto gather_settled(As... awaitables) {
  return detail::Arguments<detail::SettleArguments, As...>(std::move(awaitables)...);
}
ASYNCIO_API Coro<std::tuple<>> gather_settled();
template <detail::awaitable_range Range>
  requires(!awaitable<Range>)
auto gather_settled(Range range, GatherOptions options = {}) {
  return detail::settle_range<Range>(std::move(range),
                                     options.limit ? options.limit : detail::no_limit);
}

/// gather() of a range with at most `limit` running at a time; after the first error nothing more
/// starts.
template <detail::awaitable_range Range>
auto gather_limited(std::size_t limit, Range range) {
  return detail::gather_range<Range>(std::move(range), limit ? limit : detail::no_limit);
}

}  // namespace asyncio::inline v0

#include <asyncio/race.hpp>  // IWYU pragma: export
