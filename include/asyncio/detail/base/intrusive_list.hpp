// A doubly linked ring of nodes that live inside other objects.
// SPDX-License-Identifier: MIT
#pragma once

namespace asyncio::inline v0::detail {

/// A node that is in no ring points at itself, so that unlinking twice is harmless.
struct RingNode {
  RingNode* previous = this;
  RingNode* following = this;

  RingNode() = default;
  RingNode(const RingNode&) = delete;
  RingNode& operator=(const RingNode&) = delete;

  bool alone() const noexcept { return following == this; }

  void unlink() noexcept {
    previous->following = following;
    following->previous = previous;
    previous = following = this;
  }

  /// Puts `node` last in the ring that begins at this.
  void append(RingNode& node) noexcept {
    node.previous = previous;
    node.following = this;
    previous->following = &node;
    previous = &node;
  }
};

}  // namespace asyncio::inline v0::detail
