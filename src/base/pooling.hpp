// Whether blocks are kept for reuse in this process.
// SPDX-License-Identifier: MIT
#pragma once

namespace asyncio::inline v0::detail {

/// Not under a sanitizer, nor with ASYNCIO_FRAME_POOL=0 in the environment.
bool pooling() noexcept;

}  // namespace asyncio::inline v0::detail
