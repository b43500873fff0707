// What threads settle among themselves without a lock, step by step.
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

/// Templates, because the tests take the same steps with atomics of a model, which tries every
/// interleaving.
namespace asyncio::inline v0::detail {

/// From one state to the next, if nobody was faster. Who wins knows all that led there.
template <class Atomic, class State>
bool decide(Atomic& state, State from, std::type_identity_t<State> to) noexcept {
  return state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
}

// ---- a word that ends, and who sleeps until it has
//
//     ender:   word = its end;  a sleeper? -> wake all
//     sleeper: ++sleepers;      the word not at its end? -> sleep while it stays as it is
//
// As in the gate, both sides write before they read, sequentially consistent: one sees the other.

/// Writes the word's last value.
template <class Word, class Wake>
void end_word(Word& word, Word& sleepers, std::uint32_t last, Wake wake_all) noexcept {
  word.store(last, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) > 0) wake_all(word);
}

/// Until `has_ended(value)`, or until `sleep(value)`, which sleeps while the word has this value,
/// says false: the time is up.
template <class Word, class Ended, class Sleep>
bool sleep_until(Word& word, Word& sleepers, Ended has_ended, Sleep sleep) noexcept {
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  bool ended = false;
  for (;;) {
    const std::uint32_t seen = word.load(std::memory_order_seq_cst);
    ended = has_ended(seen);
    if (ended || !sleep(seen)) break;
  }
  sleepers.fetch_sub(1, std::memory_order_relaxed);
  return ended;
}

// ---- a stack that is closed when it is emptied

/// False if it is closed: the node is still the caller's.
template <class Atomic, class Node>
bool push_if_open(Atomic& top, Node& node, std::type_identity_t<Node>& closed) noexcept {
  Node* newest = top.load(std::memory_order_acquire);
  do {
    if (newest == &closed) return false;
    node.next = newest;
  } while (!top.compare_exchange_weak(newest, &node, std::memory_order_acq_rel,
                                      std::memory_order_acquire));
  return true;
}

/// What was in it, oldest first. Once.
template <class Atomic, class Node>
Node* close_stack(Atomic& top, Node& closed) noexcept {
  Node* newest = top.exchange(&closed, std::memory_order_acq_rel);
  Node* oldest = nullptr;
  while (newest) {
    Node* const older = newest->next;
    newest->next = std::exchange(oldest, newest);
    newest = older;
  }
  return oldest;
}

}  // namespace asyncio::inline v0::detail
