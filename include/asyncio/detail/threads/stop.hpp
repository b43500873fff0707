// A std::stop_token for calls that take one, for programs that have none.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/config.hpp>

namespace asyncio::inline v0::detail {

/// What a std::stop_token has, and little else.
template <class T>
concept stop_token_like = requires(const T& token) {
  requires noexcept(token.stop_requested());
  requires noexcept(token.stop_possible());
  token == token;
};

/// A std::stop_token whose type need not be known, and becomes one where a parameter asks for it:
/// <stop_token> is a tenth of all that std weighs here, and whoever names the parameter's type has
/// included it.
class ASYNCIO_API StopToken {
 public:
  StopToken(const StopToken& other) noexcept;
  StopToken& operator=(const StopToken&) = delete;
  ~StopToken();

  bool stop_requested() const noexcept;
  bool stop_possible() const noexcept;

  template <stop_token_like T>
  operator T() const noexcept {  // NOLINT: converting is what it is for
    return as<T>();
  }

 private:
  friend class StopSource;

  StopToken() noexcept = default;

  // Instantiated for std::stop_token, and nothing else, in stop.cpp.
  template <class T>
  T as() const noexcept;

  alignas(void*) unsigned char token_[sizeof(void*)];  // a std::stop_token
};

/// A std::stop_source in the same manner.
class ASYNCIO_API StopSource {
 public:
  StopSource();
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;
  ~StopSource();

  StopToken get_token() const noexcept;
  void request_stop() noexcept;

 private:
  alignas(void*) unsigned char source_[sizeof(void*)];  // a std::stop_source
};

}  // namespace asyncio::inline v0::detail
