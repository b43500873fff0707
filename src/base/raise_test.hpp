// The test that the direct raise has to pass before it is used.
// SPDX-License-Identifier: MIT
#pragma once

namespace asyncio::inline v0::detail {

/// Raises a few exceptions both ways and compares what handlers, destructors and the standard's
/// functions see. Only for asyncio_raise(), which it may use meanwhile.
bool direct_raise_works() noexcept;

}  // namespace asyncio::inline v0::detail
