// Option structs hold nothing that g++ 12 could destroy twice [A10]; awaiters come by value [A13].
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>
#include <asyncio/testing.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

using namespace asyncio;

template <class Options>
constexpr bool is_safe_option = std::is_aggregate_v<Options> &&
                                std::is_trivially_destructible_v<Options> &&
                                std::is_default_constructible_v<Options>;
static_assert(is_safe_option<TaskOptions>);
static_assert(is_safe_option<GatherOptions>);
static_assert(is_safe_option<WaitOptions>);
static_assert(is_safe_option<TaskGroupOptions>);
static_assert(is_safe_option<RunOptions>);
static_assert(is_safe_option<testing::Options>);
static_assert(std::is_trivially_destructible_v<Limit>);

template <class A>
constexpr bool awaiter_by_value =
    awaitable<A> && !std::is_reference_v<decltype(std::declval<A>().operator co_await())>;
static_assert(awaiter_by_value<Coro<int>>);
static_assert(awaiter_by_value<Coro<int&>>);
static_assert(awaiter_by_value<Task<std::string>>);
static_assert(awaiter_by_value<const Task<std::string>&>);
static_assert(awaiter_by_value<Future<std::unique_ptr<int>>>);
static_assert(awaiter_by_value<const Future<>&>);
static_assert(awaiter_by_value<AnyTask>);
static_assert(awaiter_by_value<Sleep>);
static_assert(awaiter_by_value<decltype(std::declval<Task<int>>().join())>);
static_assert(awaiter_by_value<decltype(std::declval<AnyTask>().join())>);
static_assert(awaiter_by_value<decltype(shield(std::declval<Task<int>>()))>);
static_assert(awaiter_by_value<decltype(std::declval<AsyncGenerator<int>&>().next())>);
static_assert(awaiter_by_value<decltype(std::declval<AsyncGenerator<int>&>().aclose())>);
static_assert(awaiter_by_value<decltype(to_thread(std::declval<int (*)()>()))>);

// Awaited once, or through a reference: no awaitables.
static_assert(!awaitable<int>);
static_assert(!awaitable<std::suspend_always>);
static_assert(coroutine_function<Coro<int> (*)(int), int>);
static_assert(!coroutine_function<int (*)()>);
