// Contexts: immutable maps that are shared until somebody sets something.
// SPDX-License-Identifier: MIT
#include "core/context.hpp"

#include <algorithm>
#include <atomic>
#include <pthread.h>
#include <utility>
#include <vector>

namespace asyncio::inline v0::detail {

// A slot's word is one of
//   0                 nothing was ever set here
//   ContextMap*       a snapshot, shared with others, never changed
//   ContextState* | 1 a context that handles or tokens may refer to; its map is replaced by set()
// so that a task's copy costs one count, or nothing, and only contexts that are set in or asked for
// are objects.

struct ContextMap {
  struct Entry {
    VariableId variable;
    ContextValue* value;  // counted
  };
  std::atomic<unsigned> count{1};
  std::vector<Entry> entries;  // sorted; programs have a handful of variables
};

struct ContextState : ContextBase {
  std::atomic<unsigned> count{1};
  std::atomic<bool> entered{false};
};

namespace {

void retain(ContextValue* value) noexcept {
  if (value) __atomic_add_fetch(&value->count, 1, __ATOMIC_RELAXED);
}
void release(ContextValue* value) noexcept {
  if (value && __atomic_sub_fetch(&value->count, 1, __ATOMIC_ACQ_REL) == 0) delete value;
}
ContextMap* retain(ContextMap* map) noexcept {
  if (map) map->count.fetch_add(1, std::memory_order_relaxed);
  return map;
}
void release(ContextMap* map) noexcept {
  if (!map || map->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  for (const ContextMap::Entry& entry : map->entries) release(entry.value);
  delete map;
}
void retain(ContextState& state) noexcept { state.count.fetch_add(1, std::memory_order_relaxed); }
void release(ContextState* state) noexcept {
  if (!state || state->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  release(state->map);
  delete state;
}

ContextState* state_in(const ContextSlot& slot) noexcept {
  return slot.word & 1 ? reinterpret_cast<ContextState*>(slot.word & ~std::uintptr_t{1}) : nullptr;
}
ContextMap* map_in(const ContextSlot& slot) noexcept {
  if (const ContextState* state = state_in(slot)) return state->map;
  return reinterpret_cast<ContextMap*>(slot.word);
}
ContextSlot slot_for(ContextState& state) noexcept {
  return {reinterpret_cast<std::uintptr_t>(&state) | 1};
}

// What a thread sets outside of tasks and callbacks; gone with the thread. Other destructors at the
// thread's end ask for it and set in it, before and after: the word is never destroyed.
constinit thread_local ContextSlot thread_slot{};
constinit thread_local bool thread_slot_dropped = false;

// Called by the system after the last destructor of a thread_local; not in the main thread.
void drop_late(void* slot) noexcept { drop_slot(*static_cast<ContextSlot*>(slot)); }

struct AtThreadEnd {
  AtThreadEnd() noexcept {}
  AtThreadEnd(const AtThreadEnd&) = delete;
  AtThreadEnd& operator=(const AtThreadEnd&) = delete;
  ~AtThreadEnd() {
    thread_slot_dropped = true;
    // Destructors of values may set others; as often as the system asks, but not for ever.
    for (int rounds = 4; rounds > 0 && thread_slot.word; --rounds) drop_slot(thread_slot);
  }
};

// The thread's slot is about to hold something.
void be_told_of_thread_end() noexcept {
  if (!thread_slot_dropped) {
    static thread_local AtThreadEnd at_end;
    static_cast<void>(at_end);
    return;
  }
  struct Key {
    pthread_key_t key{};
    const bool made = ::pthread_key_create(&key, &drop_late) == 0;
  };
  static const Key late;
  if (late.made) ::pthread_setspecific(late.key, &thread_slot);
}

// Makes the slot's context an object, if it is none yet.
ContextState& materialize(ContextSlot& slot) {
  if (ContextState* state = state_in(slot)) return *state;
  if (&slot == &thread_slot) be_told_of_thread_end();
  auto* state = new ContextState;
  state->map = reinterpret_cast<ContextMap*>(slot.word);
  slot = slot_for(*state);
  return *state;
}

std::vector<ContextMap::Entry>::const_iterator find_in(const ContextMap& map,
                                                       VariableId variable) noexcept {
  return std::lower_bound(map.entries.begin(), map.entries.end(), variable,
                          [](const ContextMap::Entry& entry, VariableId wanted) {
                            return entry.variable < wanted;
                          });
}

ContextValue* lookup(const ContextMap* map, VariableId variable) noexcept {
  if (!map) return nullptr;
  const auto found = find_in(*map, variable);
  return found != map->entries.end() && found->variable == variable ? found->value : nullptr;
}

// The map with one value replaced, added, or (null) left out.
ContextMap* changed(const ContextMap* map, VariableId variable, ContextValue* value) {
  auto* copy = new ContextMap;
  try {
    copy->entries.reserve((map ? map->entries.size() : 0) + 1);
  } catch (...) {
    delete copy;
    throw;
  }
  bool placed = value == nullptr;
  if (map) {
    for (const ContextMap::Entry& entry : map->entries) {
      if (!placed && entry.variable >= variable) {
        copy->entries.push_back({variable, value});
        placed = true;
      }
      if (entry.variable != variable) copy->entries.push_back(entry);
    }
  }
  if (!placed) copy->entries.push_back({variable, value});
  for (const ContextMap::Entry& entry : copy->entries) retain(entry.value);
  return copy;
}

ContextState& not_moved_from(ContextState* state) {
  if (!state) throw RuntimeError("this Context is empty: it was moved from");
  return *state;
}

}  // namespace

ContextSlot& active_context() noexcept {
  ThreadState& thread = thread_state;
  if (thread.task) return thread.task->context;
  return thread.context ? *thread.context : thread_slot;
}

ContextSlot copy_slot(const ContextSlot& slot) noexcept {
  if (!slot.word) [[likely]] return {};
  return {reinterpret_cast<std::uintptr_t>(retain(map_in(slot)))};
}

ContextSlot copy_current_slow() noexcept { return copy_slot(active_context()); }

void drop_slot(ContextSlot& slot) noexcept {
  if (!slot.word) [[likely]] return;
  // Emptied first: destructors of values may ask for other values.
  const ContextSlot last = std::exchange(slot, {});
  if (ContextState* state = state_in(last)) release(state);
  else release(reinterpret_cast<ContextMap*>(last.word));
}

ContextSlot share_slot(const Context& context) {
  ContextState& state = not_moved_from(ContextAccess::state(context));
  retain(state);
  return slot_for(state);
}

Context context_of(ContextSlot& slot) {
  ContextState& state = materialize(slot);
  retain(state);
  return ContextAccess::adopt(&state);
}

VariableId new_variable() noexcept {
  static std::atomic<VariableId> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

const ContextValue* find_variable(VariableId variable) noexcept {
  return lookup(map_in(active_context()), variable);
}

Undo set_variable(VariableId variable, ContextValue* value) {
  retain(value);
  try {
    ContextState& state = materialize(active_context());
    ContextMap* const map = changed(state.map, variable, value);
    Undo undo{&state, lookup(state.map, variable)};
    retain(state);
    retain(undo.before);
    release(std::exchange(state.map, map));
    release(value);
    return undo;
  } catch (...) {
    release(value);
    throw;
  }
}

void undo_variable(VariableId variable, Undo& undo) {
  if (!undo.context) throw RuntimeError("ContextVar::reset: this token was used already");
  ContextState* const state = state_in(active_context());
  if (state != undo.context) {
    throw RuntimeError("ContextVar::reset: this token was made in another context");
  }
  ContextMap* const map = changed(state->map, variable, undo.before);
  release(std::exchange(state->map, map));
  drop_undo(undo);
}

void drop_undo(Undo& undo) noexcept {
  release(std::exchange(undo.before, nullptr));
  release(std::exchange(undo.context, nullptr));
}

void throw_no_value(std::string_view name) {
  throw LookupError("ContextVar::get: '" + std::string(name) +
                    "' has no value here and no default; set() it or use get(fallback)");
}
void throw_foreign_token(std::string_view name) {
  throw std::invalid_argument("ContextVar::reset: the token was not made by '" +
                              std::string(name) + "'");
}

EnteredContext::EnteredContext(ContextState* context)
    : context_(not_moved_from(context)), slot_(active_context()), outer_(slot_) {
  if (context_.entered.exchange(true)) {
    throw RuntimeError("Context::run: this context is entered already; run in a copy_context()");
  }
  retain(context_);
  slot_ = slot_for(context_);
}

EnteredContext::~EnteredContext() {
  ContextSlot inner = std::exchange(slot_, outer_);
  context_.entered.store(false);
  drop_slot(inner);
}

EnteredTaskContext::EnteredTaskContext(const std::optional<AnyTask>& task) noexcept
    : outer_task_(thread_state.task), outer_context_(thread_state.context) {
  if (!task) return;
  copy_ = copy_slot(static_cast<TaskState&>(HandleAccess::state(*task)).context);
  thread_state.task = nullptr;
  thread_state.context = &copy_;
}

EnteredTaskContext::~EnteredTaskContext() {
  thread_state.task = outer_task_;
  thread_state.context = outer_context_;
  drop_slot(copy_);
}

Context TaskHandle::get_context() const { return context_of(task().context); }

}  // namespace asyncio::inline v0::detail

namespace asyncio::inline v0 {

Context::Context() : state_(new detail::ContextState) {}
Context::Context(const Context& other) noexcept : state_(other.state_) {
  if (state_) state_->count.fetch_add(1, std::memory_order_relaxed);
}
Context::~Context() { detail::release(state_); }

Context copy_context() {
  auto* state = new detail::ContextState;
  state->map = detail::retain(detail::map_in(detail::active_context()));
  return detail::ContextAccess::adopt(state);
}

}  // namespace asyncio::inline v0
