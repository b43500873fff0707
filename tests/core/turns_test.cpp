// How often the loop looks at the world, counted on a clock that the test turns by hand.
// SPDX-License-Identifier: MIT
#include "core/loop.hpp"

#include "support/async_test.hpp"
#include "support/fake_world.hpp"

#include <asyncio/sleep.hpp>

#include <stdexcept>
#include <thread>

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using test::Events;
using test::FakeLoop;

// Keeps the loop awake for `turns` turns, each of which takes `cost`; then stops it.
void spin(FakeLoop& fake, int turns, detail::Ticks cost) {
  fake.world->time += cost;
  if (turns == 1) fake.loop->stop();
  else fake.loop->call_soon(spin, std::ref(fake), turns - 1, cost);
}

std::uint64_t last_distance(const std::vector<std::uint64_t>& looks) {
  return looks.back() - looks[looks.size() - 2];
}

SYNC_TEST(Turns, "looks after as many turns as fill 50 us [R2]") {
  FakeLoop fake;
  fake.loop->call_soon(spin, std::ref(fake), 200, 10'000);
  fake.loop->run_forever();
  EXPECT_EQ(last_distance(fake.world->looks), 5u);
}

SYNC_TEST(Turns, "looks after 64 turns at most [R2] [B4]") {
  FakeLoop fake;
  fake.loop->call_soon(spin, std::ref(fake), 200, 10);
  fake.loop->run_forever();
  EXPECT_EQ(last_distance(fake.world->looks), 64u);
}

SYNC_TEST(Turns, "looks every turn when a turn takes longer than 50 us [R2]") {
  FakeLoop fake;
  fake.loop->call_soon(spin, std::ref(fake), 200, 70'000);
  fake.loop->run_forever();
  EXPECT_EQ(last_distance(fake.world->looks), 1u);
}

SYNC_TEST(Turns, "looks on the next turn when a timer that is due already is armed [R2]") {
  FakeLoop fake;
  std::uint64_t armed = 0;
  std::uint64_t fired = 0;
  fake.loop->call_soon(spin, std::ref(fake), 200, 10);
  fake.loop->call_soon([&] {
    fake.loop->call_soon([&] {
      armed = fake.loop->metrics().turns;
      fake.loop->call_later(-1s, [&] { fired = fake.loop->metrics().turns; });
    });
  });
  fake.loop->run_forever();
  EXPECT_EQ(fired, armed + 1);
}

Coro<> yield_for_ever() {
  for (;;) co_await sleep(0s);
}

SYNC_TEST(Turns, "serves a timer within 64 turns though a task never rests [B4] [R2]") {
  FakeLoop fake;
  std::uint64_t fired = 0;
  std::uint64_t due = 0;
  auto greedy = fake.loop->create_task(yield_for_ever());
  fake.loop->call_soon(spin, std::ref(fake), 400, 10);
  fake.loop->call_soon([&] {
    due = fake.loop->metrics().turns + 100;
    fake.loop->call_later(1us, [&] { fired = fake.loop->metrics().turns; });
  });
  fake.loop->run_forever();
  greedy.cancel();
  EXPECT_GE(fired, due);
  EXPECT_LE(fired, due + 64);
}

SYNC_TEST(Turns, "looks before it sleeps, and sleeps until the first timer [R2]") {
  FakeLoop fake;
  const detail::Ticks begin = fake.world->time;
  fake.loop->call_later(3s, [&] { fake.loop->stop(); });
  fake.loop->call_later(5s, [] {});
  fake.loop->run_forever();
  EXPECT_EQ(fake.world->slept_until, (std::vector<detail::Ticks>{begin + 3'000'000'000}));
}

SYNC_TEST(Turns, "does not turn while there is nothing to do [B6]") {
  FakeLoop fake;
  fake.loop->call_later(10s, [&] { fake.loop->stop(); });
  fake.loop->run_forever();
  EXPECT_LE(fake.loop->metrics().turns, 2u);
  EXPECT_EQ(fake.world->looks.size(), 1u);
}

SYNC_TEST(Turns, "reads the clock afresh in now() and when a timer is armed [R3]") {
  FakeLoop fake;
  std::vector<std::int64_t> seen;
  fake.loop->call_soon([&] {
    fake.world->time += 1'000;
    seen.push_back(fake.loop->now().time_since_epoch().count() - fake.world->time);
    fake.world->time += 5'000;
    TimerHandle timer = fake.loop->call_later(1s, [] {});
    seen.push_back(timer.when().time_since_epoch().count() - fake.world->time);
    timer.cancel();
    fake.loop->stop();
  });
  fake.loop->run_forever();
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1'000'000'000}));
}

SYNC_TEST(Turns, "is woken by a post only while it sleeps, and then once [B1]") {
  FakeLoop fake;
  std::thread([&] {
    fake.loop->call_soon_threadsafe([] {});
    fake.loop->call_soon_threadsafe([&] { fake.loop->stop(); });
  }).join();
  fake.loop->run_forever();
  EXPECT_EQ(fake.world->wakes, 0);
  EXPECT_EQ(fake.loop->metrics().posts, 2u);
}

SYNC_TEST(Turns, "reports a callback that holds the loop up, in debug mode [B15]") {
  FakeLoop fake;
  auto reports = test::record_reports(*fake.loop);
  fake.loop->set_debug(true);
  fake.loop->call_soon([&] {
    fake.world->time += 150'000'000;
    fake.loop->stop();
  });
  fake.loop->run_forever();
  EXPECT_EQ(*reports, (Events{"Executing a callback took 0.150000 seconds"}));
  EXPECT_EQ(fake.loop->metrics().longest_callback, 150ms);
}

Coro<> dawdle(FakeLoop& fake) {
  co_await sleep(0s);
  fake.world->time += 200'000'000;
  fake.loop->stop();
}

SYNC_TEST(Turns, "names the task that holds the loop up [B15]") {
  FakeLoop fake;
  auto reports = test::record_reports(*fake.loop);
  fake.loop->set_debug(true);
  auto task = fake.loop->create_task(dawdle(fake), {.name = "dawdler"});
  fake.loop->run_forever();
  EXPECT_EQ(*reports, (Events{"Executing dawdler took 0.200000 seconds"}));
}

SYNC_TEST(Turns, "says nothing of a callback below the limit that was set [B15]") {
  FakeLoop fake;
  auto reports = test::record_reports(*fake.loop);
  fake.loop->set_debug(true);
  fake.loop->set_slow_callback_duration(300ms);
  fake.loop->call_soon([&] {
    fake.world->time += 200'000'000;
    fake.loop->stop();
  });
  fake.loop->run_forever();
  EXPECT_EQ(*reports, Events{});
}

Coro<int> at_once() { co_return 1; }

Coro<> awaits(int count) {
  for (int i = 0; i < count; ++i) static_cast<void>(co_await at_once());
}

SYNC_TEST(Turns, "names a task that awaits a million times and never waits, in debug mode") {
  std::shared_ptr<Events> reports;
  const auto scenario = [&](bool debug) -> Coro<> {
    get_running_loop().set_debug(debug);
    get_running_loop().set_slow_callback_duration(1h);
    reports = test::record_reports();
    auto patient = create_task(awaits(900'000), {.name = "patient"});
    co_await patient;
    auto restless = create_task(awaits(2'100'000), {.name = "restless"});
    co_await restless;
  };
  testing::run(scenario(true));
  EXPECT_EQ(reports->size(), 1u);
  EXPECT_EQ(reports->at(0).find("task 'restless' has awaited a million coroutines"), 0u);
  testing::run(scenario(false));
  EXPECT_EQ(*reports, Events{});
}

}  // namespace
}  // namespace asyncio
