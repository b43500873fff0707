// Several stacks in one thread, of which one runs at a time.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

namespace asyncio::test::model {

/// A place to run and to come back to. The sanitizers are told of every change of stacks.
class Fiber {
 public:
  /// The thread that calls.
  Fiber();
  /// One that calls `body(argument)` when it is first gone to. The body never returns.
  Fiber(void (*body)(void*), void* argument);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  /// From the fiber that runs, which is `from`, to another.
  static void go(Fiber& from, Fiber& to);

  /// Forgets what it was doing, without a destructor being called; it begins anew.
  void restart();

 private:
  struct Inside;

  static void begin();

  std::unique_ptr<Inside> inside_;
};

}  // namespace asyncio::test::model
