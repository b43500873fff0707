// Native stacks and symbols in words; where blocks of the frame pool were asked for.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace asyncio::inline v0::detail {

/// Whether this thread's allocations are noted from now on. Gives what it was before.
bool note_creations(bool wanted) noexcept;

/// True if there is a note more, or less.
bool note_creation(const void* block) noexcept;
bool forget_creation(const void* block) noexcept;

/// One line for each native frame, innermost first; empty if it was not noted.
std::string creation_of(const void* block);

/// The function there, or where it lies in which file.
std::string symbol_at(const void* code);

/// "f(int)" for "_Z1fi"; what is no mangled name stays as it is.
std::string demangled(const char* symbol);

}  // namespace asyncio::inline v0::detail
