"""Compiles one program of bench/compile/ and prints "wall_ns cpu_ns bytes".
usage: bench_compile.py ours|includes|asio compile|size N"""
# SPDX-License-Identifier: MIT
import os
import resource
import subprocess
import sys
import tempfile
import time

from bench_build import BENCH, ROOT, SHARED

program, case = sys.argv[1], sys.argv[2]
command = ["g++", "-std=c++20", f"-I{ROOT / 'include'}", str(BENCH / "compile" / f"{program}.cpp")]

with tempfile.TemporaryDirectory() as folder:
    result = os.path.join(folder, "result")
    if case == "size":
        command += ["-O2", "-DNDEBUG", "-pthread", "-s", "-o", result]
        if program == "ours":
            library = next(SHARED.rglob("libasyncio-cpp.so"))
            command += [f"-L{library.parent}", "-lasyncio-cpp"]
    else:
        command += ["-O0", "-c", "-o", result]
    start = time.monotonic_ns()
    subprocess.run(command, check=True, env=dict(os.environ, CCACHE_DISABLE="1"))
    wall = time.monotonic_ns() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(wall, (used.ru_utime + used.ru_stime) * 1e9, os.path.getsize(result))
