"""Gets the benchmark programs ready: the peers whose toolchain is there, the limits, and ours."""
# SPDX-License-Identifier: MIT
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
BUILD = ROOT / "build"
SHARED = BUILD / "bench-shared"
CXX = {"g++": "g++", "clang": "clang++-19"}
FLAGS = ["-std=c++20", "-O2", "-DNDEBUG", "-pthread"]
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's python3-uvloop belongs to


class Unavailable(Exception):
    """Why a program cannot take part, in words for the reader of the table."""


class Broken(Unavailable):
    """Something that should have compiled did not."""


def quiet(command, **options):
    """Runs a command silently; if it fails, its first errors or last lines say why."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, **options)
    if done.returncode != 0:
        lines = done.stdout.splitlines()
        errors = [line for line in lines if "error" in line.lower()]
        why = "\n".join(errors[:10] or lines[-10:])
        raise Broken(f"`{' '.join(map(str, command))}` failed:\n{why}")


def answers(command, **options):
    try:
        return subprocess.run(command, capture_output=True, **options).returncode == 0
    except OSError:
        return False


def has_header(header):
    test = f"#if !__has_include(<{header}>)\n#error\n#endif\n"
    return answers(["g++", "-E", "-x", "c++", "-"], input=test.encode())


def up_to_date(target, sources):
    if not target.exists():
        return False
    made = target.stat().st_mtime
    return all(source.stat().st_mtime <= made for source in sources)


@dataclass(frozen=True)
class Peer:
    packages: tuple
    present: Callable
    build: Callable  # (folder) -> the command that takes CASE N


def compiled(name, compiler, flags, sources, libraries=()):
    def build(folder):
        target = folder / name
        files = [BENCH / "peers" / source for source in sources]
        headers = [BENCH / "measure.hpp", *(BENCH / "peers").glob("*.hpp")]
        if not up_to_date(target, [*files, *headers]):
            print(f"  {name}", flush=True)
            quiet([compiler, *flags, "-o", target, *files, *libraries])
        return [target]
    return build


def build_tokio(folder):
    target = folder / "peer-tokio"
    source = BENCH / "peers" / "tokio"
    files = [source / "Cargo.toml", source / "src" / "main.rs"]
    if up_to_date(target, files):
        return [target]
    print("  peer-tokio", flush=True)
    work = folder / "tokio"
    for file in files:
        copy = work / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    # Debian's crates instead of the network's.
    (work / ".cargo").mkdir(exist_ok=True)
    (work / ".cargo" / "config.toml").write_text(
        '[source.crates-io]\nreplace-with = "debian"\n'
        '[source.debian]\ndirectory = "/usr/share/cargo/registry"\n')
    quiet(["cargo", "build", "--release", "--offline"], cwd=work)
    shutil.copy(work / "target" / "release" / "peer-tokio", target)
    return [target]


def build_go(folder):
    target = folder / "peer-go"
    source = BENCH / "peers" / "peer.go"
    if not up_to_date(target, [source]):
        print("  peer-go", flush=True)
        environment = dict(os.environ, GO111MODULE="off", GOCACHE=str(folder / "go-cache"))
        quiet(["go", "build", "-o", target, source], env=environment)
    return [target]


def interpreted(*command):
    return lambda folder: [*command]


PEERS = {
    "Asio": Peer(("libboost1.81-dev",), lambda: has_header("boost/asio/cancellation_signal.hpp"),
                 compiled("asio_micro", "g++", FLAGS,
                          ("asio_micro.cpp", "asio_sync.cpp"))),
    "Tokio": Peer(("cargo", "rustc", "librust-tokio+full-dev"),
                  lambda: shutil.which("cargo")
                  and any(Path("/usr/share/cargo/registry").glob("tokio-1*")),
                  build_tokio),
    "Go": Peer(("golang-go",), lambda: shutil.which("go"), build_go),
    "Python": Peer(("python3",), lambda: shutil.which(SYSTEM_PYTHON),
                   interpreted(SYSTEM_PYTHON, "-B", BENCH / "peers" / "peer.py", "asyncio")),
    "uvloop": Peer(("python3-uvloop",), lambda: answers([SYSTEM_PYTHON, "-c", "import uvloop"]),
                   interpreted(SYSTEM_PYTHON, "-B", BENCH / "peers" / "peer.py", "uvloop")),
    "Node": Peer(("nodejs",), lambda: shutil.which("node"),
                 interpreted("node", BENCH / "peers" / "peer.js")),
    "libuv": Peer(("libuv1-dev",), lambda: has_header("uv.h"),
                  compiled("uv", "gcc", ["-O2"], ("uv.c",), ["-luv"])),
}


def install(packages):
    """Installs Debian packages if it may; otherwise says what to type."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not root or answers(["sudo", "-n", "true"])):
        print("Installing", " ".join(packages), "...", flush=True)
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        command = [*apt, "install", "-y", "--no-install-recommends", *packages]
        # The lists at hand may do, and may be the only ones where the network is closed.
        if answers(command, stdin=subprocess.DEVNULL):
            return
        if answers([*apt, "update"]) and answers(command, stdin=subprocess.DEVNULL):
            return
    print(f"Missing: sudo apt-get update && sudo apt-get install -y {' '.join(packages)}")


def install_compilers():
    """What our own side needs; without clang its column is missing, and the table says so."""
    script = ROOT / "tools" / "packages.sh"
    if subprocess.run([script, "g++", "cmake", "ninja-build"]).returncode != 0:
        sys.exit(1)
    subprocess.run([script, "clang-19"])


def peers(names, may_install):
    """The command of each peer that can take part, and why the others cannot."""
    missing = [name for name in names if not PEERS[name].present()]
    packages = [p for name in missing for p in PEERS[name].packages]
    if packages and may_install:
        install(packages)
    folder = BUILD / "bench-peers"
    folder.mkdir(parents=True, exist_ok=True)
    commands, reasons = {}, {}
    for name in names:
        try:
            if not PEERS[name].present():
                raise Unavailable(f"needs {' '.join(PEERS[name].packages)}")
            commands[name] = list(map(str, PEERS[name].build(folder)))
        except Unavailable as why:
            reasons[name] = str(why)
    if "Asio" in commands:
        commands["Asio compile"] = compile_cost("asio")
    return commands, reasons


def limits(compiler):
    """The probes that set the limits, built by the same compiler as what they are compared with."""
    folder = BUILD / f"bench-{compiler}" / "limits"
    folder.mkdir(parents=True, exist_ok=True)
    commands = {"compile": compile_cost("includes")}
    shared = [BENCH / "measure.hpp", *(BENCH / "limits").glob("*.hpp")]
    for source in sorted((BENCH / "limits").glob("*.cpp")):
        target = folder / source.stem
        if not up_to_date(target, [source, *shared]):
            quiet([CXX[compiler], *FLAGS, "-o", target, source])
        commands[source.stem] = [str(target)]
    return commands


def jobs():
    script = ROOT / "tools" / "jobs.sh"
    if script.exists():
        return subprocess.run([script], capture_output=True, text=True).stdout.strip() or "1"
    return str(os.cpu_count() or 1)


def cmake(folder, compiler, targets, *options):
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    quiet(["cmake", "-S", ROOT, "-B", folder, *generator, "-DCMAKE_BUILD_TYPE=Release",
           f"-DCMAKE_CXX_COMPILER={CXX[compiler]}", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG",
           "-DASYNCIO_BUILD_TESTS=OFF", "-DASYNCIO_BUILD_EXAMPLES=OFF", *options])
    quiet(["cmake", "--build", folder, "--parallel", jobs(), "--target", *targets])


def ours(compiler):
    """Our programs as users build them: -O2, the static library."""
    if not shutil.which(CXX[compiler]):
        raise Unavailable(f"needs {CXX[compiler]}")
    folder = BUILD / f"bench-{compiler}"
    cmake(folder, compiler, ["asyncio_bench", "asyncio_bench_memory"], "-DASYNCIO_BUILD_BENCH=ON")
    bench = str(folder / "bench" / "asyncio_bench")
    return {"bench": [bench],
            "unwinding": ["env", "ASYNCIO_PORTABLE_UNWIND=1", bench],
            "memory": [str(folder / "bench" / "asyncio_bench_memory")],
            "compile": compile_cost("ours")}


def shared_library():
    """For the row of the binary's size."""
    cmake(SHARED, "g++", ["asyncio"], "-DASYNCIO_BUILD_BENCH=OFF", "-DBUILD_SHARED_LIBS=ON")


def compile_cost(program):
    return [sys.executable, "-B", str(ROOT / "tools" / "bench_compile.py"), program]
