// The std::stop_source and the std::stop_token behind those that have no type in the headers.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/threads/stop.hpp>

#include <memory>
#include <new>
#include <stop_token>

namespace asyncio::inline v0::detail {
namespace {

template <class T, class Room>
auto& in(Room& room) noexcept {
  static_assert(sizeof(T) <= sizeof room && alignof(T) <= alignof(void*));
  if constexpr (std::is_const_v<Room>)
    return *std::launder(reinterpret_cast<const T*>(&room));
  else
    return *std::launder(reinterpret_cast<T*>(&room));
}

}  // namespace

// ---- the token

StopToken::StopToken(const StopToken& other) noexcept {
  ::new (&token_) std::stop_token(in<std::stop_token>(other.token_));
}
StopToken::~StopToken() { std::destroy_at(&in<std::stop_token>(token_)); }

bool StopToken::stop_requested() const noexcept {
  return in<std::stop_token>(token_).stop_requested();
}
bool StopToken::stop_possible() const noexcept {
  return in<std::stop_token>(token_).stop_possible();
}

template <class T>
T StopToken::as() const noexcept {
  return in<T>(token_);
}
template std::stop_token StopToken::as<std::stop_token>() const noexcept;

// ---- the source

StopSource::StopSource() { ::new (&source_) std::stop_source(); }
StopSource::~StopSource() { std::destroy_at(&in<std::stop_source>(source_)); }

StopToken StopSource::get_token() const noexcept {
  StopToken token;
  ::new (&token.token_) std::stop_token(in<std::stop_source>(source_).get_token());
  return token;
}
void StopSource::request_stop() noexcept { in<std::stop_source>(source_).request_stop(); }

}  // namespace asyncio::inline v0::detail
