// The change of stacks: a few instructions, or ucontext, which asks the kernel each time.
// SPDX-License-Identifier: MIT
#include "support/model/fiber.hpp"

#include "support/model/model.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <pthread.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define ASYNCIO_STACKS_OF_ADDRESS_SANITIZER
#elif defined(__SANITIZE_THREAD__)
#define ASYNCIO_STACKS_OF_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASYNCIO_STACKS_OF_ADDRESS_SANITIZER
#elif __has_feature(thread_sanitizer)
#define ASYNCIO_STACKS_OF_THREAD_SANITIZER
#endif
#endif

#if defined(ASYNCIO_STACKS_OF_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(ASYNCIO_STACKS_OF_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

// Not where the processor checks where functions return to.
#if defined(__x86_64__) && !(defined(__CET__) && (__CET__ & 2))
#define ASYNCIO_OWN_SWITCH
extern "C" void asyncio_test_switch(void** from, void* to);
asm(R"(
  .text
  .p2align 4
  .type asyncio_test_switch, @function
asyncio_test_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size asyncio_test_switch, . - asyncio_test_switch
)");
#endif

namespace asyncio::test::model {

#if defined(ASYNCIO_STACKS_OF_ADDRESS_SANITIZER) || defined(ASYNCIO_STACKS_OF_THREAD_SANITIZER)
const bool is_slow = true;
#else
const bool is_slow = false;
#endif

namespace {

constexpr std::size_t stack_size = 256 * 1024;  // sanitizers and -O0 want much

}  // namespace

struct Fiber::Inside {
  std::unique_ptr<char[]> own_stack;
  void* stack = nullptr;
  std::size_t size = 0;
  void (*body)(void*) = nullptr;
  void* argument = nullptr;
#if defined(ASYNCIO_OWN_SWITCH)
  void* top = nullptr;  // of its stack, while another runs
#else
  ucontext_t context;
#endif
  void* for_sanitizer = nullptr;
  int restarts = 0;

  static Inside* arriving;  // who is gone to
};
Fiber::Inside* Fiber::Inside::arriving = nullptr;

Fiber::Fiber() : inside_(new Inside) {
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) std::abort();
  ::pthread_attr_getstack(&attributes, &inside_->stack, &inside_->size);
  ::pthread_attr_destroy(&attributes);
#if defined(ASYNCIO_STACKS_OF_THREAD_SANITIZER)
  inside_->for_sanitizer = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(void (*body)(void*), void* argument) : inside_(new Inside) {
  inside_->own_stack.reset(new char[stack_size]);
  inside_->stack = inside_->own_stack.get();
  inside_->size = stack_size;
  inside_->body = body;
  inside_->argument = argument;
  restart();
}

Fiber::~Fiber() {
  if (!inside_->own_stack) return;
#if defined(ASYNCIO_STACKS_OF_ADDRESS_SANITIZER)
  __asan_unpoison_memory_region(inside_->stack, inside_->size);
#elif defined(ASYNCIO_STACKS_OF_THREAD_SANITIZER)
  __tsan_destroy_fiber(inside_->for_sanitizer);
#endif
}

void Fiber::restart() {
#if defined(ASYNCIO_STACKS_OF_ADDRESS_SANITIZER)
  __asan_unpoison_memory_region(inside_->stack, inside_->size);
  inside_->for_sanitizer = nullptr;
#elif defined(ASYNCIO_STACKS_OF_THREAD_SANITIZER)
  // A new one takes a thousand times as long as a change. The old one's stack of calls, which are
  // never returned from, has room for many runs.
  constexpr int runs = 500;
  if (inside_->restarts++ % runs == 0) {
    if (inside_->for_sanitizer) __tsan_destroy_fiber(inside_->for_sanitizer);
    inside_->for_sanitizer = __tsan_create_fiber(0);
  }
#endif
#if defined(ASYNCIO_OWN_SWITCH)
  // Six registers, where to begin, and where begin() would return to.
  auto** const end = reinterpret_cast<void**>(inside_->own_stack.get() + stack_size);
  inside_->top = std::fill_n(end - 8, 8, nullptr) - 8;
  end[-2] = reinterpret_cast<void*>(&Fiber::begin);
#else
  if (::getcontext(&inside_->context) != 0) std::abort();
  inside_->context.uc_stack.ss_sp = inside_->stack;
  inside_->context.uc_stack.ss_size = inside_->size;
  inside_->context.uc_link = nullptr;
  ::makecontext(&inside_->context, &Fiber::begin, 0);
#endif
}

void Fiber::begin() {
  Inside& me = *Inside::arriving;
#if defined(ASYNCIO_STACKS_OF_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  me.body(me.argument);
  std::abort();
}

void Fiber::go(Fiber& from_fiber, Fiber& to_fiber) {
  Inside& from = *from_fiber.inside_;
  Inside& to = *to_fiber.inside_;
  Inside::arriving = &to;
#if defined(ASYNCIO_STACKS_OF_ADDRESS_SANITIZER)
  __sanitizer_start_switch_fiber(&from.for_sanitizer, to.stack, to.size);
#elif defined(ASYNCIO_STACKS_OF_THREAD_SANITIZER)
  __tsan_switch_to_fiber(to.for_sanitizer, 0);
#endif
#if defined(ASYNCIO_OWN_SWITCH)
  asyncio_test_switch(&from.top, to.top);
#else
  ::swapcontext(&from.context, &to.context);
#endif
#if defined(ASYNCIO_STACKS_OF_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(from.for_sanitizer, nullptr, nullptr);
#endif
}

}  // namespace asyncio::test::model
