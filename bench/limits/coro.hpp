// The barest coroutine types that can still do the work of a row, and the queue that runs them.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

// Where frames come from.

struct Malloc {
  static inline std::size_t last_size = 0;
  void* operator new(std::size_t size) {
    last_size = size;
    return malloc(size);
  }
  void operator delete(void* p, std::size_t) { free(p); }
};

// Thread-local, 64-byte classes, no lock, never returns memory.
struct FreeList {
  struct Node {
    Node* next;
  };
  static constexpr std::size_t classes = 32;
  static constexpr std::size_t chunk_bytes = 1 << 20;
  static inline thread_local constinit Node* heads[classes] = {};
  static inline thread_local constinit char* chunk = nullptr;
  static inline thread_local constinit char* chunk_end = nullptr;

  [[gnu::noinline]] static void* refill(std::size_t size) {
    if (static_cast<std::size_t>(chunk_end - chunk) < size) {
      void* fresh =
          mmap(nullptr, chunk_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (fresh == MAP_FAILED) abort();
      chunk = static_cast<char*>(fresh);
      chunk_end = chunk + chunk_bytes;
    }
    void* p = chunk;
    chunk += size;
    return p;
  }
  void* operator new(std::size_t size) {
    std::size_t c = (size + 63) / 64;
    if (c >= classes) return malloc(size);
    if (Node* p = heads[c]) {
      heads[c] = p->next;
      return p;
    }
    return refill(c * 64);
  }
  void operator delete(void* p, std::size_t size) {
    std::size_t c = (size + 63) / 64;
    if (c >= classes) return free(p);
    heads[c] = new (p) Node{heads[c]};
  }
};

// Something runnable, linked into the queue through the awaiter in its own frame.
struct Ready {
  Ready* next = nullptr;
  std::coroutine_handle<> handle;
};

struct Fifo {
  Ready* head = nullptr;
  Ready** tail = &head;
  void push(Ready* r) {
    r->next = nullptr;
    *tail = r;
    tail = &r->next;
  }
  Ready* pop() {
    Ready* r = head;
    head = r->next;
    if (head == nullptr) tail = &head;
    return r;
  }
  bool empty() const { return head == nullptr; }
  void run() {
    while (!empty()) pop()->handle.resume();
  }
};

inline Fifo fifo;

struct Yield : Ready {
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    handle = h;
    fifo.push(this);
  }
  void await_resume() {}
};

// A lazy child, started and left by symmetric transfer. Carries what any task must: a result, a
// continuation and an error.
template <class Frames>
struct Symmetric {
  struct promise_type : Frames {
    std::coroutine_handle<> continuation;
    int value = 0;
    std::exception_ptr error;
    Symmetric get_return_object() {
      return Symmetric(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
        return h.promise().continuation;
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(int x) { value = x; }
    void unhandled_exception() { error = std::current_exception(); }
  };

  std::coroutine_handle<promise_type> handle;
  explicit Symmetric(std::coroutine_handle<promise_type> h) : handle(h) {}
  Symmetric(Symmetric&& other) noexcept : handle(std::exchange(other.handle, {})) {}
  ~Symmetric() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) {
    handle.promise().continuation = h;
    return handle;
  }
  int await_resume() {
    if (handle.promise().error) std::rethrow_exception(handle.promise().error);
    return handle.promise().value;
  }
};

// A lazy child that is resumed inside await_suspend: no suspension when it completes at once.
template <class Frames>
struct Nested {
  struct promise_type : Frames {
    std::coroutine_handle<> continuation;
    int value = 0;
    bool started_inside = false;
    Nested get_return_object() {
      return Nested(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
        if (h.promise().started_inside) return std::noop_coroutine();
        return h.promise().continuation;
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(int x) { value = x; }
    void unhandled_exception() { std::terminate(); }
  };

  std::coroutine_handle<promise_type> handle;
  explicit Nested(std::coroutine_handle<promise_type> h) : handle(h) {}
  Nested(Nested&& other) noexcept : handle(std::exchange(other.handle, {})) {}
  ~Nested() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  bool await_suspend(std::coroutine_handle<> h) {
    auto& promise = handle.promise();
    promise.continuation = h;
    promise.started_inside = true;
    handle.resume();
    if (handle.done()) return false;
    promise.started_inside = false;
    return true;
  }
  int await_resume() { return handle.promise().value; }
};

inline thread_local constinit std::coroutine_handle<> trampoline_next{};

// A lazy child whose start and end both go through a loop at the bottom of the stack.
template <class Frames>
struct Trampoline {
  struct promise_type : Frames {
    std::coroutine_handle<> continuation;
    int value = 0;
    Trampoline get_return_object() {
      return Trampoline(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> h) noexcept {
        trampoline_next = h.promise().continuation;
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(int x) { value = x; }
    void unhandled_exception() { std::terminate(); }
  };

  std::coroutine_handle<promise_type> handle;
  explicit Trampoline(std::coroutine_handle<promise_type> h) : handle(h) {}
  Trampoline(Trampoline&& other) noexcept : handle(std::exchange(other.handle, {})) {}
  ~Trampoline() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    handle.promise().continuation = h;
    trampoline_next = handle;
  }
  int await_resume() { return handle.promise().value; }
};

// The outermost coroutine, which somebody outside resumes and destroys.
struct Driver {
  struct promise_type : FreeList {
    Driver get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

inline void drive(Driver d) {
  d.handle.resume();
  fifo.run();
  d.handle.destroy();
}

inline void drive_trampoline(Driver d) {
  trampoline_next = d.handle;
  while (trampoline_next) std::exchange(trampoline_next, {}).resume();
  d.handle.destroy();
}
