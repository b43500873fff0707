// What the compiler has written down about who handles an exception where.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <typeinfo>

namespace asyncio::inline v0::detail {

/// The first handler that a function has for an exception raised at one of its calls.
struct Handler {
  std::uintptr_t landing_pad = 0;  // 0: none, or a table that we do not understand
  std::uintptr_t selector = 0;
  const std::type_info* catches = nullptr;  // null: everything
};

/// For an exception `object` of `type`, raised in the frame on this thread's stack whose call
/// returns to `pc`. Reads what the personality routine of C++ would read (Itanium C++ ABI,
/// exception tables), but only the frame's own function.
Handler find_handler(std::uintptr_t pc, const std::type_info& type, void* object) noexcept;

/// True if a handler for `wanted`, null for everything, takes the object; `object` then points at
/// what it sees.
bool catches(const std::type_info* wanted, const std::type_info& type, void*& object) noexcept;

}  // namespace asyncio::inline v0::detail
