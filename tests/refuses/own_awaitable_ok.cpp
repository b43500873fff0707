// A type whose `operator co_await() &&` gives one of the library's is awaitable everywhere.
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

using namespace std::chrono_literals;

class Alarm {
 public:
  asyncio::Sleep operator co_await() && { return asyncio::sleep(1s); }
};
class Question {
 public:
  asyncio::Coro<int> operator co_await() && { return ask(); }

 private:
  static asyncio::Coro<int> ask() { co_return 42; }
};

asyncio::Coro<int> everywhere() {
  co_await Alarm();
  co_await asyncio::gather(Alarm(), Question());
  co_await asyncio::race(Alarm(), Question());
  co_await asyncio::create_task(Question());
  co_await asyncio::wait_for(Alarm(), 1s);
  co_return co_await Question();
}

int main() { return asyncio::run(Question()); }
