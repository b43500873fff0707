// The test that the direct raise has to pass before it is used, and ways for tests to compare.
// SPDX-License-Identifier: MIT
#pragma once

namespace asyncio::inline v0::detail {

/// Raises a few exceptions both ways and compares what handlers, destructors and the standard's
/// functions see. Only for asyncio_raise(), which it may use meanwhile.
bool direct_raise_works() noexcept;

/// Makes this thread raise by unwinding whatever the test has said: for who compares the two.
void raise_by_unwinding(bool wanted) noexcept;
/// False where this build, machine or environment raises by unwinding.
bool raises_directly() noexcept;

}  // namespace asyncio::inline v0::detail
