"""The rows of the benchmark table: what runs, against which limit, what is quoted."""
# SPDX-License-Identifier: MIT
from dataclasses import dataclass, field

SCALE = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "B": 1, "KiB": 1024, "": 1}

# Not in Debian, so quoted: measured on a 2-core AMD EPYC (Zen 3) VM in November 2026, TooManyCooks
# 1.7.0, Corral 5d11537, libcoro 277467f.
QUOTED = ("TMC", "Corral", "libcoro")
PEERS = ("Asio", "Tokio", "Go", "Python", "uvloop", "Node", "libuv")


@dataclass(frozen=True)
class Row:
    name: str  # what --only takes
    title: str
    unit: str
    case: str  # of our program
    goal: str = ""  # g++ / clang, as the project set it on the machine of the quoted figures
    value: str = "cpu"  # which of a program's three numbers: wall, cpu, extra
    program: str = "bench"  # bench, memory or compile
    n: int | None = None  # operations; None: as many as fill the time
    cores: int = 1
    limit: tuple = ()  # "probe case" strings; of several the fastest counts
    peers: dict = field(default_factory=dict)  # peer -> its case, or several: the fastest counts
    quoted: dict = field(default_factory=dict)
    compilers: tuple = ("g++", "clang")


def same(case, *names):
    """These peers, who call the case by one name."""
    return {name: case for name in names}


ERRORS = ("Asio", "Tokio", "Go", "Python", "uvloop")  # Tokio and Go: errors are values
SYNC = ("Asio", "Tokio", "Go", "Python", "uvloop")
MANY = 1_000_000
TASKS = 100_000

ROWS = [
    Row("await", "co_await a child that completes at once", "ns", "await", "16 / 12.5",
        limit=("inproc await_symmetric", "inproc await_nested", "inproc await_trampoline"),
        peers=same("await", "Asio", "Tokio", "Python", "uvloop", "Node"),
        quoted={"TMC": 30.2, "Corral": 71.3, "libcoro": 34.3}),
    Row("await_inline", "  where the compiler inlines it: Rust", "ns", "", compilers=(),
        peers={"Tokio": "awaitinline"}),
    Row("chain10", "ten-deep await chain, per level", "ns", "chain10", "1.3 x limit",
        limit=("inproc chain10_trampoline",),
        peers=same("chain10", "Asio", "Tokio", "Python", "uvloop", "Node")),
    Row("yield1000", "yield, 1000 tasks", "ns", "yield1000", "10",
        limit=("inproc yield1000",),
        peers=same("yield1000", "Asio", "Tokio", "Go", "Python", "uvloop", "Node")),
    Row("yield", "yield, two tasks", "ns", "yield", "10",
        limit=("inproc yield",),
        peers=same("yield", "Asio", "Tokio", "Go", "Python", "uvloop", "Node"),
        quoted={"TMC": 25.6, "Corral": 14.8, "libcoro": 1155}),
    Row("spawn", "spawn + run + join, with result", "ns", "spawn", "42 / 44",
        limit=("inproc spawn",),
        peers=same("spawn", "Asio", "Tokio", "Go", "Python", "uvloop"),
        quoted={"TMC": 50.6, "Corral": 153, "libcoro": 2719}),
    Row("spawn_named", "  with a name of its own", "ns", "spawn_named"),
    Row("million", "1 M tasks on one future, each", "ns", "million", "350", n=MANY,
        peers=same("million", "Asio", "Tokio", "Go", "Python", "uvloop", "Node"),
        quoted={"TMC": 303, "Corral": 540, "libcoro": 558}),
    Row("million_bytes", "  bytes each", "B", "million", "232", value="extra", n=MANY,
        peers=same("million", "Asio", "Tokio", "Go", "Python", "uvloop", "Node"),
        quoted={"TMC": 152, "Corral": 385, "libcoro": 248}),
    Row("sleeping", "a sleeping task, of 1 M", "B", "sleeping", "256 / 240", value="extra",
        n=MANY, limit=("inproc bytes_two",)),
    Row("sleepall", "gather of 100,000 sleeps of 10 ms", "ms", "sleepall", "70", value="wall",
        n=TASKS, limit=("timers sleepall",),
        peers=same("sleepall", "Asio", "Tokio", "Go", "Python", "uvloop", "Node"),
        quoted={"Corral": 166, "libcoro": 98}),
    Row("sleepall_bytes", "  bytes each", "B", "sleepall", "300", value="extra", n=TASKS,
        limit=("timers sleepall",),
        peers=same("sleepall", "Asio", "Tokio", "Go", "Python", "uvloop", "Node"),
        quoted={"Corral": 550, "libcoro": 321}),
    Row("timeout", "wait_for around one turn", "ns", "timeout", "100",
        limit=("timers timeout",),
        peers={**same("timeout", "Tokio", "Go", "Python", "uvloop", "Node"),
               "Asio": ("timeout", "timeraw")},
        quoted={"Corral": 1805, "libcoro": 4507}),
    Row("timer_at100k", "timer arm + cancel, 100k pending", "ns", "timer_at100k", "30", n=MANY,
        limit=("timers arm_at100k",), peers={"libuv": "timer_at100k"}),
    Row("timer100k", "  with the clock read", "ns", "timer100k", "65", n=MANY,
        limit=("timers arm100k",),
        peers=same("timer100k", "Asio", "Go", "Node", "Python", "uvloop")),
    Row("rearm100k", "re-arm one of 100k: reschedule", "ns", "rearm100k", "1.3 x limit", n=MANY,
        limit=("timers rearm100k",), peers=same("rearm100k", "Asio", "Go", "libuv")),
    Row("recall100k", "  cancel + call_at", "ns", "recall100k", "1.3 x limit", n=MANY,
        limit=("timers rearm100k",), peers=same("rearm100k", "Python", "uvloop")),
    Row("rearm1m", "re-arm one of 1 M: reschedule", "ns", "rearm1m", "1.3 x limit", n=MANY,
        limit=("timers rearm1m",), peers=same("rearm1m", "Asio", "Go", "libuv")),
    Row("recall1m", "  cancel + call_at", "ns", "recall1m", "1.3 x limit", n=MANY,
        limit=("timers rearm1m",)),
    Row("cancel", "cancel + join one of 100,000 asleep", "ns", "cancel", "350", n=TASKS,
        peers=same("cancel", "Asio", "Tokio", "Go", "Python", "uvloop"),
        quoted={"Corral": 501}),
    Row("cancel1", "cancel through 1 await, caught at the top", "ns", "cancel1",
        peers=same("cancel1", *ERRORS)),
    Row("cancel10", "  through 10 awaits", "ns", "cancel10", "1000",
        peers=same("cancel10", *ERRORS)),
    Row("cancel20", "  through 20 awaits", "ns", "cancel20", "2000",
        peers=same("cancel20", *ERRORS)),
    Row("throw1", "error through 1 await, throw included", "ns", "throw1", "1250 / 1350",
        peers=same("throw1", *ERRORS)),
    Row("throw10", "  through 10 awaits", "ns", "throw10", "2000",
        peers=same("throw10", *ERRORS)),
    *[Row(f"{case}_unwound", f"  raised by unwinding: {case}", "ns", case, program="unwinding", n=n)
      for case, n in (("await", None), ("cancel", TASKS), ("cancel10", None), ("cancel20", None),
                      ("throw1", None), ("throw10", None))],
    Row("lock", "lock + unlock, nobody else there", "ns", "lock", "4.5",
        peers=same("lock", *SYNC), quoted={"TMC": 7.0, "Corral": 3.7, "libcoro": 7.0}),
    Row("lock8", "  8 tasks, each yields while it holds it", "ns", "lock8", "21",
        peers=same("lock8", *SYNC), quoted={"TMC": 40.9, "Corral": 43.9, "libcoro": 2203}),
    Row("event", "Event: set and wake 100,000, each", "ns", "event", "25", n=TASKS,
        peers=same("event", *SYNC)),
    Row("event_million", "  of 1 M", "ns", "event", "as of 100,000", n=MANY,
        peers=same("event", *SYNC)),
    # TMC's is a special for one producer and one consumer.
    Row("queue", "Queue of 128, 1 producer, 1 consumer, an item", "ns", "queue", "13",
        peers=same("queue", *SYNC), quoted={"TMC": 14.4, "Corral": 19.4, "libcoro": 186}),
    Row("queue1", "  of 1", "ns", "queue1", peers=same("queue1", *SYNC)),
    Row("thread64", "to_thread, 64 in flight, 4 workers", "us", "thread64", "0.35", value="wall",
        cores=2, peers=same("thread64", "Asio", "Tokio", "Python", "uvloop", "libuv"),
        quoted={"Corral": 0.29}),
    Row("thread1", "to_thread, one at a time", "us", "thread1", "1.1 x limit", value="wall",
        cores=2, limit=("wake worker",),
        peers=same("thread1", "Asio", "Tokio", "Python", "uvloop", "libuv"),
        quoted={"Corral": 11.9}),
    Row("thread1_cross", "  loop and worker on two cores", "us", "thread_cross", "1.1 x limit",
        value="wall", cores=2, limit=("wake worker_cross",)),
    Row("thread1_same", "  loop and worker on one core", "us", "thread1", "1.1 x limit",
        value="wall", limit=("wake worker",),
        peers=same("thread1", "Asio", "Tokio", "Python", "uvloop", "libuv")),
    Row("post", "post to a loop that is awake, poster", "ns", "post", "60", cores=2, n=MANY,
        peers=same("post", "Asio", "Python", "uvloop")),
    Row("post_writes", "  its calls of write(2), in 1 M posts", "", "post", "0", value="extra",
        cores=2, n=MANY),
    Row("frame_empty", "frame of an empty Coro<int>", "B", "frame_empty", "64", value="extra",
        program="memory", n=1, limit=("inproc frame_empty",)),
    Row("frame_child", "frame of one that awaits a child", "B", "frame_child", "96",
        value="extra", program="memory", n=1, limit=("inproc frame_child",)),
    *[Row(f"calls_{what}", f"operator new per {what}", "", f"calls_{what}", "0", value="extra",
          program="memory", n=20_000)
      for what in ("await", "yield", "sleep", "wait_for", "timeout", "spawn")],
    Row("compile", "compile hello + sleep + gather, -O0", "s", "compile", "1.4 x limit",
        program="compile", n=1, compilers=("g++",), limit=("compile includes",),
        peers={"Asio": "compile"}, quoted={"libcoro": 4.1}),
    Row("size", "  its stripped -O2 binary, shared", "KiB", "size", "60", value="extra",
        program="compile", n=1, compilers=("g++",), peers={"Asio": "size"},
        quoted={"libcoro": 67}),
]
