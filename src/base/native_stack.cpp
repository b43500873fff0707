// Notes native stacks and puts them into words.
// SPDX-License-Identifier: MIT
#include "base/native_stack.hpp"

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#else  // musl has none: nothing is noted
static int backtrace(void**, int) { return 0; }
static char** backtrace_symbols(void* const*, int) { return nullptr; }
#endif

namespace asyncio::inline v0::detail {
namespace {

// note_creation(), the pool, and the operator new that calls it
constexpr std::size_t own_frames = 3;
constexpr std::size_t depth = 12;

struct NativeStack {
  std::array<void*, own_frames + depth> at;
  std::size_t size;
};

struct Notes {
  std::mutex mutex;
  std::unordered_map<const void*, NativeStack> stacks;
};

// Never destroyed, as blocks may be freed by destructors of globals.
Notes& notes() {
  static Notes* const instance = new Notes;
  return *instance;
}

// "./server(_Z5fetchi+0x1c) [0x401234]": what stands between '(' and '+' may be demangled.
std::string with_name_demangled(std::string line) {
  const std::size_t open = line.find('(');
  const std::size_t plus = line.find('+', open);
  if (open == std::string::npos || plus == std::string::npos) return line;
  const std::string name = demangled(line.substr(open + 1, plus - open - 1).c_str());
  return line.replace(open + 1, plus - open - 1, name);
}

}  // namespace

bool note_creation(const void* block) noexcept {
  NativeStack stack;
  const int size = ::backtrace(stack.at.data(), static_cast<int>(stack.at.size()));
  stack.size = static_cast<std::size_t>(size);
  try {
    Notes& all = notes();
    const std::lock_guard lock(all.mutex);
    return all.stacks.insert_or_assign(block, stack).second;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool forget_creation(const void* block) noexcept {
  Notes& all = notes();
  const std::lock_guard lock(all.mutex);
  return all.stacks.erase(block) > 0;
}

std::string creation_of(const void* block) {
  NativeStack stack;
  {
    Notes& all = notes();
    const std::lock_guard lock(all.mutex);
    const auto found = all.stacks.find(block);
    if (found == all.stacks.end()) return {};
    stack = found->second;
  }
  std::string lines;
  for (std::size_t i = own_frames; i < stack.size; ++i) {
    lines += "  " + symbol_at(stack.at[i]) + '\n';
  }
  return lines;
}

std::string symbol_at(const void* code) {
  void* const at = const_cast<void*>(code);
  const std::unique_ptr<char*, void (*)(void*)> symbols(::backtrace_symbols(&at, 1), &std::free);
  return symbols ? with_name_demangled(symbols.get()[0]) : "?";
}

std::string demangled(const char* symbol) {
  int status = 0;
  char* text = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  std::string result = status == 0 ? text : symbol;
  std::free(text);
  return result;
}

}  // namespace asyncio::inline v0::detail
