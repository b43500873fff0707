// Raises directly where that can be trusted, by unwinding where not, and counts both.
// SPDX-License-Identifier: MIT
#include <asyncio/detail/base/raise.hpp>

#include "base/raise_test.hpp"

#include <utility>

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBCXX__) && \
    !defined(ASYNCIO_PORTABLE_UNWIND)

#include "base/handler_table.hpp"

#include <cxxabi.h>
#include <unwind.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <typeinfo>

namespace asyncio::inline v0::detail {
namespace {

constinit thread_local RaiseCounts counts{};

// ---- the exception's header, fixed by the Itanium C++ ABI (level II) and by libstdc++

struct Header {
  std::type_info* type;
  void (*destroy)(void*);
  void (*unexpected)();
  void (*terminate)();
  Header* next_caught;
  int handlers;
  int selector;
  const unsigned char* action;
  const unsigned char* tables;
  std::uintptr_t landing_pad;
  void* seen_by_handler;
  _Unwind_Exception unwind;
};
static_assert(sizeof(_Unwind_Exception) == 32, "raise.S counts on it");
static_assert(sizeof(Header) == 112);

struct Globals {
  Header* caught;
  unsigned uncaught;
};

constexpr std::size_t count_before_object = 128;
// "GNUCC++" and a zero: libstdc++'s own, and not one that stands for another.
constexpr _Unwind_Exception_Class primary = 0x474e5543432b2b00;

Header& header_of(Raised object) noexcept { return static_cast<Header*>(object)[-1]; }

int& count_of(Raised object) noexcept {
  return *reinterpret_cast<int*>(static_cast<char*>(object) - count_before_object);
}

// ---- the handlers found before, by the place of the call

struct Found {
  std::uintptr_t pc = 0;
  std::uint64_t code = 0;  // what stands at pc: another library may be loaded there by now
  const std::type_info* type = nullptr;
  Handler handler;
};

struct FoundBefore {
  static constexpr std::size_t size = 1024;

  static std::uint64_t code_at(std::uintptr_t pc) noexcept {
    std::uint64_t code;
    std::memcpy(&code, reinterpret_cast<const void*>(pc), sizeof code);
    return code;
  }
  Handler& look_up(std::uintptr_t pc, const std::type_info& type, Raised object) noexcept {
    Found& found = at[((pc >> 2) ^ (pc >> 12)) % size];
    const std::uint64_t code = code_at(pc);
    if (found.pc != pc || found.type != &type || found.code != code) {
      found = {pc, code, &type, find_handler(pc, type, object)};
    }
    return found.handler;
  }

  Globals* const globals = reinterpret_cast<Globals*>(abi::__cxa_get_globals());  // this thread's
  Found at[size];
};

// Made at a thread's first raise; null again once the thread's objects are being destroyed.
FoundBefore* found_before() noexcept {
  static constinit thread_local FoundBefore* here = nullptr;
  static constinit thread_local bool ended = false;
  struct Owner {
    Owner() noexcept : table(new (std::nothrow) FoundBefore) { here = table.get(); }
    ~Owner() {
      here = nullptr;
      ended = true;
    }
    std::unique_ptr<FoundBefore> table;
  };
  if (!here && !ended) {
    static thread_local Owner owner;
    static_cast<void>(owner);
  }
  return here;
}

// ---- whether to

enum class Way : int { undecided, direct, by_unwinding };
std::atomic<Way> way{Way::undecided};
constinit thread_local bool testing = false;
constinit thread_local bool told_to_unwind = false;

// A shadow stack would have to be unwound as well.
bool has_shadow_stack() noexcept {
  std::uint64_t pointer = 0;
  asm volatile("rdsspq %0" : "+r"(pointer));  // does nothing where there is none
  return pointer != 0;
}

Way decide() noexcept {
  const char* const wish = secure_getenv("ASYNCIO_PORTABLE_UNWIND");
  if ((wish && wish[0] != '\0' && wish[0] != '0') || has_shadow_stack()) return Way::by_unwinding;
  const RaiseCounts before = counts;
  testing = true;
  const bool trusted = direct_raise_works();
  testing = false;
  counts = before;
  if (trusted) return Way::direct;
  if (const char* debug = secure_getenv("ASYNCIO_DEBUG"); debug && debug[0] == '1') {
    std::fputs("asyncio: exceptions are raised by unwinding: the direct way failed its test\n",
               stderr);
  }
  return Way::by_unwinding;
}

bool may_raise_directly() noexcept {
  if (testing) return true;
  if (told_to_unwind) return false;
  Way known = way.load(std::memory_order_acquire);
  if (known == Way::undecided) {
    known = decide();
    way.store(known, std::memory_order_release);  // others come to the same
  }
  return known == Way::direct;
}

}  // namespace

RaiseCounts raise_counts() noexcept { return counts; }
void raise_by_unwinding(bool wanted) noexcept { told_to_unwind = wanted; }
bool raises_directly() noexcept { return may_raise_directly(); }

}  // namespace asyncio::inline v0::detail

extern "C" {

// rax and rdx, as raise.S expects them.
struct asyncio_landing {
  std::uintptr_t pad;
  std::uintptr_t selector;
};

[[gnu::used]] asyncio_landing asyncio_find_handler(asyncio::detail::Raised object,
                                                   std::uintptr_t pc,
                                                   std::uintptr_t stack) noexcept;
asyncio_landing asyncio_find_handler(asyncio::detail::Raised object, std::uintptr_t pc,
                                     std::uintptr_t stack) noexcept {
  using namespace asyncio::detail;
  Header& header = header_of(object);
  if (header.unwind.exception_class != primary ||
      __atomic_load_n(&count_of(object), __ATOMIC_ACQUIRE) != 1 || !may_raise_directly()) {
    return {};
  }
  FoundBefore* const table = found_before();
  if (!table) return {};
  const Handler& handler = table->look_up(pc, *header.type, object);
  if (handler.landing_pad == 0) return {};
  void* seen = object;
  if (!catches(handler.catches, *header.type, seen)) return {};
  // What the search of the personality routine leaves behind, for the handler and for a clean-up
  // that resumes on its way there.
  header.handlers = 0;  // the last handler that let go left 1
  header.selector = static_cast<int>(handler.selector);
  header.landing_pad = handler.landing_pad;
  header.seen_by_handler = seen;
  header.unwind.private_1 = 0;
  header.unwind.private_2 = stack;
  ++table->globals->uncaught;
  ++counts.direct;
  return {handler.landing_pad, handler.selector};
}

[[noreturn, gnu::used]] void asyncio_raise_by_unwinding(asyncio::detail::Raised object);
void asyncio_raise_by_unwinding(asyncio::detail::Raised object) {
  ++asyncio::detail::counts.unwound;
  std::exception_ptr error = asyncio::detail::take_back(object);
  std::rethrow_exception(std::move(error));
}

}  // extern "C"

#else

namespace asyncio::inline v0::detail {
namespace {
constinit thread_local RaiseCounts counts{};
}
RaiseCounts raise_counts() noexcept { return counts; }
void raise_by_unwinding(bool) noexcept {}
bool raises_directly() noexcept { return false; }
}  // namespace asyncio::inline v0::detail

#if defined(__x86_64__) && defined(__linux__) && !defined(ASYNCIO_PORTABLE_UNWIND)
// Another standard library: raise.S asks, and is told that there is no handler.
extern "C" void asyncio_raise_by_unwinding(asyncio::detail::Raised object);
extern "C" asyncio::detail::Raised asyncio_find_handler() noexcept;
asyncio::detail::Raised asyncio_find_handler() noexcept { return nullptr; }
void asyncio_raise_by_unwinding(asyncio::detail::Raised object) {
#else
void asyncio_raise(asyncio::detail::Raised object) {
#endif
  ++asyncio::detail::counts.unwound;
  std::exception_ptr error = asyncio::detail::take_back(object);
  std::rethrow_exception(std::move(error));
}

#endif
