// What every file of the library may say to the compiler.
// SPDX-License-Identifier: MIT
#pragma once

// Exported from the shared library.
#define ASYNCIO_API [[gnu::visibility("default")]]
// Inlined even at -O0: keeps debug builds fast and their native stack shallow.
#define ASYNCIO_INLINE [[gnu::always_inline]] inline
// Off the hot path: kept out of the callers' code.
#define ASYNCIO_COLD [[gnu::noinline, gnu::cold]]
