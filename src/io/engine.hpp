// The seam to the kernel: a Poller that also takes operations and completes them.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/core/poller.hpp>

#include <cstdint>
#include <memory>

namespace asyncio::inline v0::detail {

/// Something that the kernel does for us. The engine holds on to it from submit() until completed()
/// or cancel(), and whoever submits it keeps it alive that long.
struct Operation {
  enum class Kind : std::uint8_t { readable, writable };

  Kind kind;
  int descriptor;

  Operation(Kind what, int where) noexcept : kind(what), descriptor(where) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  /// What came of it: 0 or more, or a negated errno. Called from wait(); only makes things ready.
  virtual void completed(int result) noexcept = 0;

 protected:
  ~Operation() = default;
};

/// Completion-shaped, so that io_uring fits behind it: an operation is handed in and ends exactly
/// once. epoll turns readiness into completions; the kinds grow with the features that need them.
class Engine : public Poller {
 public:
  /// Throws:  std::system_error if the kernel cannot watch the descriptor.
  virtual void submit(Operation& operation) = 0;
  /// The operation does not complete any more.
  virtual void cancel(Operation& operation) noexcept = 0;
};

/// Throws:  std::system_error.
std::unique_ptr<Engine> make_epoll_engine();

}  // namespace asyncio::inline v0::detail
