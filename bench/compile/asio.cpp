// Hello, a sleep and a gather with Boost.Asio.
// SPDX-License-Identifier: MIT
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <cstdio>

namespace net = boost::asio;
using namespace net::experimental::awaitable_operators;
using namespace std::chrono_literals;

net::awaitable<int> hello(int x) {
  std::printf("hello\n");
  net::steady_timer timer(co_await net::this_coro::executor, 1ms);
  co_await timer.async_wait(net::use_awaitable);
  co_return x;
}

net::awaitable<void> async_main() {
  auto [a, b] = co_await (hello(1) && hello(2));
  std::printf("%d\n", a + b);
}

int main() {
  net::io_context io(1);
  net::co_spawn(io, async_main(), net::detached);
  io.run();
}
