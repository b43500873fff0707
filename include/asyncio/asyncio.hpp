// Everything: the table of contents of asyncio for C++.
// SPDX-License-Identifier: MIT
#pragma once

// Coroutines, tasks, futures
#include <asyncio/coro.hpp>
#include <asyncio/future.hpp>
#include <asyncio/task.hpp>

// Running
#include <asyncio/event_loop.hpp>
#include <asyncio/run.hpp>

// Combining
#include <asyncio/gather.hpp>
#include <asyncio/scope.hpp>
#include <asyncio/shield.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/wait.hpp>

// Synchronisation and queues
#include <asyncio/queue.hpp>
#include <asyncio/sync.hpp>

// Threads and context
#include <asyncio/context.hpp>
#include <asyncio/threads.hpp>

// Errors, and seeing inside
#include <asyncio/exceptions.hpp>
#include <asyncio/graph.hpp>
