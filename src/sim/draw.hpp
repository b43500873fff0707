// Numbers that look random and are the same for the same seed, on every machine.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace asyncio::inline v0::detail {

/// splitmix64: neighbouring seeds give unrelated numbers, which a seed that counts up needs.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) noexcept : state_(seed) {}

  /// From 0 to `sides` - 1.
  std::size_t operator()(std::size_t sides) noexcept {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::size_t>((mixed ^ (mixed >> 31)) % sides);
  }

 private:
  std::uint64_t state_;
};

}  // namespace asyncio::inline v0::detail
