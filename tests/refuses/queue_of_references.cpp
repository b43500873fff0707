// Refused: a queue holds objects: for references, make it a Queue<T*>
// SPDX-License-Identifier: MIT
#include <asyncio/asyncio.hpp>

asyncio::Queue<int&> refused;
