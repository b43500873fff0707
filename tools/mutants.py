#!/usr/bin/env python3
# Plants faults, one at a time, and checks that the tests notice each of them.
# SPDX-License-Identifier: MIT
"""Usage: tools/mutants.py [--dozen] [--list] [WORD ...]

Works on a copy in build/mutants. --dozen: the twelve that CI plants; WORD: those whose name has it.
Exit status 1 if a fault turns no test red, or if the line it changes is no longer there.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutants"
TREE = COPY / "tree"
FLAGS = ["-std=c++20", "-Og", "-Wno-subobject-linkage", "-I", "include", "-I", "src",
         "-I", "tests"]

SYNC = ["everywhere/sync", "sync/lock", "sync/event", "sync/semaphore", "sync/condition",
        "sync/barrier", "sync/queue", "sync/wait_line"]
COMBINE = ["everywhere/combine", "combine/gather", "combine/task_group", "combine/timeout",
           "combine/wait", "combine/race"]
CORE = ["core/cancel", "core/future", "core/task", "core/loop", "core/turns", "everywhere/core"]
SIM = ["sim/sim", "sim/explore", "sim/everywhere"]

# name, file, what stands there, what stands there instead, tests that should notice
FAULTS = [
    # the fixed dozen
    ("a getter that is cancelled keeps the wake-up", "src/sync/queue.cpp",
     "if (ending.has_turn) pass_item_on();", "", SYNC),
    ("a putter that is cancelled keeps the wake-up", "src/sync/queue.cpp",
     "if (ending.has_turn) pass_room_on();", "", SYNC),
    ("a condition's waiter keeps the notification", "src/sync/condition.cpp",
     "if (cancelled && notified.has_turn && !witness.gone) line_.wake_first();", "", SYNC),
    ("the line is a stack", "src/sync/wait_line.cpp",
     "*waiting_.following", "*waiting_.previous", SYNC),
    ("a barrier counts who has left", "src/sync/barrier.cpp",
     "if (waits()) --barrier_.waiting_;\n  return", "return", SYNC),
    ("a cancelled waiter stays in line", "src/sync/wait_line.cpp",
     "bool LineWait::cancel(CancelRequest&) noexcept {\n  unlink();",
     "bool LineWait::cancel(CancelRequest&) noexcept {", SYNC),
    ("uncancel is lost at the end of a timeout", "src/combine/timeout.cpp",
     "static_cast<std::uint32_t>(task_->uncancel())", "task_->requests", COMBINE),
    ("gather leaves its children alone when one fails", "src/combine/join.cpp",
     "if (children_[i].set_ && children_[i].owned()) request.add(children_[i].state());", "",
     COMBINE),
    ("a task that a future woke meanwhile is not cancelled", "src/core/task.cpp",
     "    else task.set(ResultState::must_cancel);", "", ["combine/one_request"]),
    ("a request is not counted", "src/core/task.cpp", "++task.requests;", "", CORE),
    ("a late request is not delivered", "src/core/task.cpp", "request.visit(task);", "", CORE),
    ("a seed draws no order", "src/core/loop.cpp",
     "batch = director->arrange(batch);", "batch = batch;", SIM),
    ("callbacks that are due together change places", "src/core/timer_heap.cpp",
     "std::sort(found.begin(), found.end(), before);", "std::reverse(found.begin(), found.end());",
     SIM),
    # the others
    ("shutdown wakes no getter", "src/sync/queue.cpp", "getters_.wake_all();", "", SYNC),
    ("shutdown wakes no putter", "src/sync/queue.cpp", "putters_.wake_all();", "", SYNC),
    ("shutdown forgets what join waits for", "src/sync/queue.cpp",
     "unfinished_ -= dropped < unfinished_ ? dropped : unfinished_;", "", SYNC),
    ("join waits for ever", "src/sync/queue.cpp",
     "if (--unfinished_ == 0) finished_.set();", "--unfinished_;", SYNC),
    ("task_done too often goes unnoticed", "src/sync/queue.cpp",
     "if (unfinished_ == 0) {", "if (false) {", SYNC),
    ("a getter that was overtaken goes on", "src/sync/queue.cpp",
     "if (!ending.cancelled) continue;\n    if (ending.has_turn) pass_item_on",
     "if (!ending.cancelled) co_return;\n    if (ending.has_turn) pass_item_on", SYNC),
    ("one loop uses the lock of another", "src/sync/wait_line.cpp",
     "if (loop_ != 0 && loop_ != thread_state.loop->number) {", "if (false) {", SYNC),
    ("a dead line keeps its waiters", "src/sync/wait_line.cpp",
     "first.line_ = nullptr;", "", SYNC),
    ("who was woken is not counted", "src/sync/wait_line.cpp", "woken_.append(first);", "", SYNC),
    ("a condition comes back without its lock", "src/sync/condition.cpp",
     "held = taken.has_turn;", "held = true;", SYNC),
    ("a condition that is gone says so to nobody", "src/sync/condition.cpp",
     "first.gone = true;", "", SYNC),
    ("notify wakes nobody", "src/sync/condition.cpp",
     "while (count > 0 && line_.wake_first()) --count;", "", SYNC),
    ("notify wakes everybody", "src/sync/condition.cpp",
     "while (count > 0 && line_.wake_first()) --count;", "while (line_.wake_first()) {}", SYNC),
    ("abort does not stick", "src/sync/barrier.cpp", "broken_ = true;", "", SYNC),
    ("a barrier's numbers are all the same", "src/sync/barrier.cpp", "index++", "index", SYNC),
    ("the last to come at a barrier is not the last", "src/sync/barrier.cpp",
     "index_ = barrier_.parties_ - 1;", "index_ = 0;", SYNC),
    ("uncancel forgets one", "src/core/task.cpp",
     "if (requests > 0 && --requests == 0)", "if (requests == 0)", CORE + COMBINE),
    ("a timeout takes every cancellation for its own", "src/combine/timeout.cpp",
     "return left <= requests_on_entry_ && ", "return ", COMBINE),
    ("a limit passes and nobody is asked to end", "src/combine/timeout.cpp",
     "detail::cancel_task(*task_, {});", "", COMBINE),
    ("a task that is done is not taken off the list", "src/core/task.cpp",
     "++task.loop->tasks_ended;", "", CORE),
    ("an end wakes nobody", "src/core/task.cpp",
     "if (task.waiters) task.wake_all();", "", CORE),
    ("a task cancelled before it began runs all the same", "src/core/task.cpp",
     "else tear_down(task);", "else drive(task);", CORE),
    ("a timer due last goes first", "src/core/timer_heap.cpp",
     "sift_up(slots_.size() - 1, slot);", "put(slots_.size() - 1, slot);",
     ["core/timer_heap"] + SIM),
    ("nothing is said of what nobody awaits", "src/core/report.cpp",
     "report_unawaited(PromiseBase::promise_of(frame), frame.address());", ";", ["core/unawaited"]),
    ("what an error takes along complains, too", "src/core/report.cpp",
     "silences == 0 && std::uncaught_exceptions() == 0", "silences == 0", ["core/unawaited"]),
    ("what a task takes along complains, too", "src/core/task.cpp",
     "  const Silence silence;\n", "", ["core/unawaited"]),
    ("debug mode notes no creation", "src/core/loop.cpp",
     "note_creations(loop.debug)", "note_creations(false)", ["core/unawaited"]),
    ("calls that do not end have no names", "src/threads/loop_executor.cpp",
     "message += in_words(call);", ";", ["threads/loop_executor"]),
    ("threads that all wait for each other go unseen", "src/threads/pool.cpp",
     "  ++in_wait_;\n", "", ["threads/loop_executor"]),
]
DOZEN = 12


def run(command, quiet=True, **options):
    out = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, cwd=TREE, stdout=out, stderr=out, check=False, **options)


def copy_tree():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, files.stdout.decode().split("\0")):
        source, target = ROOT / name, TREE / name
        if not source.is_file():
            continue
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        if source.suffix == ".hpp":  # what was compiled before may have seen the old one
            shutil.rmtree(COPY / "objects", ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(source.stat().st_mode)


def build_library():
    if not (COPY / "library" / "build.ninja").exists():
        run(["cmake", "-S", ".", "-B", str(COPY / "library"), "-G", "Ninja",
             "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-Og",
             "-DASYNCIO_BUILD_TESTS=OFF", "-DASYNCIO_BUILD_EXAMPLES=OFF",
             "-DASYNCIO_BUILD_BENCH=OFF"])
    return run(["cmake", "--build", str(COPY / "library"), "--target", "asyncio"])


def test_object(test):
    """Compiled once: faults lie in src/, which tests see only as a library."""
    source = TREE / "tests" / test
    built = COPY / "objects" / (test.replace("/", "_") + ".o")
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        built.parent.mkdir(parents=True, exist_ok=True)
        done = run(["g++", *FLAGS, "-c", str(source), "-o", str(built)], quiet=False)
        if done.returncode != 0:
            sys.exit(f"mutants: {test} does not compile")
    return str(built)


def tests_pass(tests):
    support = sorted(path.name for path in (TREE / "tests" / "support").glob("*.cpp"))
    sources = [f"{name}_test.cpp" for name in tests] + [f"support/{name}" for name in support]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as compilers:
        objects = list(compilers.map(test_object, sources))
    program = COPY / "program"
    library = COPY / "library" / "libasyncio-cpp.a"
    linked = run(["g++", *objects, str(library), "-lgtest", "-pthread", "-o", str(program)],
                 quiet=False)
    if linked.returncode != 0:
        sys.exit("mutants: the tests do not link")
    try:
        return run([str(program), "--gtest_fail_fast"], timeout=120).returncode == 0
    except subprocess.TimeoutExpired:
        return False  # a hang is noticed, too


def verdict(fault):
    _, file, old, new, tests = fault
    path = TREE / file
    text = path.read_text()
    if old not in text:
        return "GONE: the line is no longer there"
    path.write_text(text.replace(old, new))
    try:
        if build_library().returncode != 0:
            return "REFUSED by the compiler"
        return "UNNOTICED" if tests_pass(tests) else "noticed"
    finally:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dozen", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    chosen = FAULTS[:DOZEN] if options.dozen else FAULTS
    chosen = [f for f in chosen if not options.words or any(w in f[0] for w in options.words)]
    if options.list:
        print(*(fault[0] for fault in chosen), sep="\n")
        return 0
    copy_tree()
    if build_library().returncode != 0:
        sys.exit("mutants: the library does not build")
    if not tests_pass(sorted({test for fault in chosen for test in fault[4]})):
        sys.exit("mutants: the tests fail as it is")
    bad = 0
    for fault in chosen:
        said = verdict(fault)
        bad += not said.startswith("noticed")
        print(f"{said:>10}  {fault[0]}", flush=True)
    print(f"mutants: {len(chosen)} planted, {bad} not noticed")
    return 1 if bad else 0


sys.exit(main())
