"""Python's asyncio or uvloop on the table's workloads: peer.py asyncio|uvloop CASE N"""
# SPDX-License-Identifier: MIT
import asyncio
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

which, case, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
if which == "uvloop":
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def start():
    global wall_start, cpu_start
    cpu_start, wall_start = time.process_time_ns(), time.perf_counter_ns()


def report(operations, extra=0.0):
    wall = time.perf_counter_ns() - wall_start
    cpu = time.process_time_ns() - cpu_start
    print(f"{wall / operations:.3f} {cpu / operations:.3f} {extra:.1f}", flush=True)
    os._exit(0)


async def child(x):
    return x + 1


async def chain(depth):
    if depth == 0:
        return 1
    return await chain(depth - 1) + 1


async def fail_below(depth):
    if depth == 0:
        raise RuntimeError("failed")
    return await fail_below(depth - 1) + 1


async def sleep_below(depth):
    if depth == 0:
        await asyncio.sleep(3600)
        return 0
    return await sleep_below(depth - 1) + 1


async def cancelled_through(depth):
    """Only what lies between cancel() and the handler at the top is measured."""
    global wall_start, cpu_start
    batch, caught, wall, cpu = 200, 0, 0, 0

    async def catch_above():
        nonlocal caught
        try:
            await sleep_below(depth - 1)
        except asyncio.CancelledError:
            caught += 1

    for _ in range(n // batch):
        tasks = [asyncio.create_task(catch_above()) for _ in range(batch)]
        await asyncio.sleep(0)
        caught = 0
        start()
        for task in tasks:
            task.cancel()
        while caught < batch:
            await asyncio.sleep(0)
        wall += time.perf_counter_ns() - wall_start
        cpu += time.process_time_ns() - cpu_start
        await asyncio.wait(tasks)
    operations = n // batch * batch
    print(f"{wall / operations:.3f} {cpu / operations:.3f} 0", flush=True)
    os._exit(0)


async def yield_loop(k):
    for _ in range(k):
        await asyncio.sleep(0)


async def in_threads(in_flight, workers):
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(workers))

    def nothing():
        pass

    async def hop(k):
        for _ in range(k):
            await asyncio.to_thread(nothing)

    start()
    await asyncio.gather(*[hop(n // in_flight) for _ in range(in_flight)])
    report(n)


def pending(loop, count):
    return [loop.call_later(3600 + random.random() * 60, id, 0) for _ in range(count)]


async def post():
    """The loop is kept awake by a task that yields; what counts is the posting thread's CPU."""
    loop = asyncio.get_running_loop()
    arrived = 0
    cpu = 0

    def arrive():
        nonlocal arrived
        arrived += 1

    def poster():
        nonlocal cpu
        before = time.thread_time_ns()
        for _ in range(n):
            loop.call_soon_threadsafe(arrive)
        cpu = time.thread_time_ns() - before

    thread = threading.Thread(target=poster)
    start()
    thread.start()
    while arrived < n:
        await asyncio.sleep(0)
    thread.join()
    print(f"{(time.perf_counter_ns() - wall_start) / n:.3f} {cpu / n:.3f} 0", flush=True)
    os._exit(0)


async def lock_each(tasks):
    lock = asyncio.Lock()

    async def visit():
        for _ in range(n // tasks):
            await lock.acquire()
            await asyncio.sleep(0)
            lock.release()

    start()
    await asyncio.gather(*[visit() for _ in range(tasks)])
    report(n // tasks * tasks)


async def wake_all():
    event = asyncio.Event()
    tasks = [asyncio.create_task(event.wait()) for _ in range(n)]
    await asyncio.sleep(0)
    start()
    event.set()
    await tasks[-1]
    report(n)


async def through_queue(capacity):
    queue = asyncio.Queue(capacity)

    async def produce():
        for i in range(n):
            await queue.put(i)

    async def consume():
        for i in range(n):
            if await queue.get() != i:
                sys.exit("items lost")

    start()
    await asyncio.gather(produce(), consume())
    report(n)


async def main():
    if case == "await":
        x = 0
        start()
        for _ in range(n):
            x = await child(x)
        report(n)
    if case == "chain10":
        start()
        for _ in range(n // 10):
            await chain(9)
        report(n)
    if case in ("throw1", "throw10"):
        depth = int(case[5:])
        start()
        for _ in range(n):
            try:
                await fail_below(depth - 1)
            except RuntimeError:
                pass
        report(n)
    if case in ("cancel1", "cancel10", "cancel20"):
        await cancelled_through(int(case[6:]))
    if case == "spawn":
        start()
        create_task = asyncio.create_task
        for _ in range(n):
            await create_task(child(1))
        report(n)
    if case == "million":
        event = asyncio.Event()

        async def waiter():
            await event.wait()

        before = resident()
        start()
        tasks = [asyncio.create_task(waiter()) for _ in range(n)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        parked = resident()
        event.set()
        for task in tasks:
            await task
        report(n, (parked - before) / n)
    if case in ("yield", "yield1000"):
        tasks = 2 if case == "yield" else 1000
        start()
        await asyncio.gather(*[yield_loop(n // tasks) for _ in range(tasks)])
        report(n)
    if case == "sleepall":
        before = resident()
        start()
        await asyncio.gather(*[asyncio.sleep(0.01) for _ in range(n)])
        report(1, (resident() - before) / n)
    if case == "timeout":  # around something that needs one turn of the loop
        start()
        for _ in range(n):
            await asyncio.wait_for(asyncio.sleep(0), 10)
        report(n)
    if case == "lock":
        lock = asyncio.Lock()
        start()
        for _ in range(n):
            await lock.acquire()
            lock.release()
        report(n)
    if case == "lock8":
        await lock_each(8)
    if case == "event":
        await wake_all()
    if case == "queue":
        await through_queue(128)
    if case == "queue1":
        await through_queue(1)
    if case == "thread1":
        await in_threads(1, 1)
    if case == "thread64":
        await in_threads(64, 4)
    if case == "timer100k":
        loop = asyncio.get_running_loop()
        keep = pending(loop, 100000)
        start()
        for _ in range(n):
            loop.call_later(3600 + random.random() * 60, id, 0).cancel()
        report(n)
    if case == "rearm100k":
        loop = asyncio.get_running_loop()
        timers = pending(loop, 100000)
        start()
        for _ in range(n):
            i = random.randrange(100000)
            timers[i].cancel()
            timers[i] = loop.call_later(3630, id, 0)
        report(n)
    if case == "post":
        await post()
    if case == "cancel":
        tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(n)]
        await asyncio.sleep(0.1)
        start()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        report(n)
    sys.exit(2)


asyncio.run(main())
