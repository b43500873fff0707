// A callback in the ready queue, in the heap of timers or on its way from another thread.
// SPDX-License-Identifier: MIT
#pragma once

#include <asyncio/detail/base/crossing_pool.hpp>
#include <asyncio/detail/core/task_state.hpp>
#include <asyncio/detail/core/timer.hpp>

#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio::inline v0::detail {

/// Counted by the loop, while it is to be called, and by the handles.
struct CallbackNode : ReadyNode {
  static constexpr unsigned called = 1;
  static constexpr unsigned cancelled = 2;
  static constexpr unsigned timed = 4;   // is a TimedCallback
  static constexpr unsigned posted = 8;  // made in another thread: the count is atomic
  static constexpr unsigned internal = 16;  // of the library: not counted as a callback

  ContextSlot context;
  LoopBase* loop;

  explicit CallbackNode(LoopBase& where) noexcept : CallbackNode(&where) {}

  // As ReadyNode's; a thread that posted it may look while the loop's writes.
  bool is(unsigned flag) const noexcept {
    return (__atomic_load_n(&flags, __ATOMIC_RELAXED) & flag) != 0;
  }
  void set(unsigned flag) noexcept {
    __atomic_store_n(&flags, static_cast<std::uint16_t>(flags | flag), __ATOMIC_RELAXED);
  }

  virtual void call() = 0;
  virtual void drop_callable() noexcept = 0;

  static void* operator new(std::size_t size) { return frame_allocate(size); }
  static void operator delete(void* node, std::size_t size) noexcept { frame_free(node, size); }
  // For a callable that is aligned more strictly than the blocks of the pools.
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* node, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(node, alignment);
  }

  void retain() noexcept {
    if (is(posted)) __atomic_add_fetch(&references, 1, __ATOMIC_RELAXED);
    else ++references;
  }
  ASYNCIO_API void release() noexcept;

 protected:
  friend struct CallbackAccess;
  explicit CallbackNode(LoopBase* where) noexcept : ReadyNode(Kind::callback), loop(where) {}
  virtual ~CallbackNode() = default;
};

/// Calls `fn(args...)` once and lets go of it.
template <class Base, class F, class... Args>
struct Callback final : Base {
  template <class G, class... Given>
  Callback(LoopBase& where, G&& fn, Given&&... args)
      : Base(where), bound(std::in_place, std::forward<G>(fn), std::forward<Given>(args)...) {}

  void call() override {
    std::apply([](F& fn, Args&... args) { static_cast<void>(fn(std::move(args)...)); }, *bound);
  }
  void drop_callable() noexcept override { bound.reset(); }

  std::optional<std::tuple<F, Args...>> bound;
};

struct ASYNCIO_API TimedCallback : CallbackNode, CallTimer {
  Ticks when = 0;

  explicit TimedCallback(LoopBase& where) noexcept : CallbackNode(where) { set(timed); }
  ASYNCIO_API void fire() noexcept override;
  TimedCallback* as_callback() noexcept final { return this; }
};

/// Made in another thread than the one that lets it go.
struct PostedCallback : CallbackNode {
  explicit PostedCallback(LoopBase& where) noexcept : CallbackNode(where) { set(posted); }
  /// Its loop is set before it goes anywhere.
  PostedCallback() noexcept : CallbackNode(nullptr) { set(posted); }

  using CallbackNode::operator new;
  using CallbackNode::operator delete;
  static void* operator new(std::size_t size) { return crossing_allocate(size); }
  static void operator delete(void* node, std::size_t size) noexcept { crossing_free(node, size); }
};

/// Work in other hands that a loop lets go of when it closes.
struct Errand : RingNode {
  virtual void leave_behind() noexcept = 0;

 protected:
  ~Errand() = default;
};

}  // namespace asyncio::inline v0::detail
