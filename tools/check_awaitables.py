#!/usr/bin/env python3
# Checks that every awaitable of the public headers is cancelled everywhere by some test.
# SPDX-License-Identifier: MIT
"""Usage: tools/check_awaitables.py [ROOT]. Part of the build of the tests.

An awaitable is a class with an await_resume(), or a function of a public header that returns a
Coro. Comments `// covers: NAME NAME` in tests/everywhere/ name those that a scenario drives.
"""

import pathlib
import re
import sys

# Not a wait of its own, or one that only the library's own scenarios could drive.
EXEMPT = {
    "Final": "the end of every coroutine: each scenario has one",
    "Yield": "gives a value to whoever awaits the generator",
    "FinalYield": "the end of every generator",
    "as_coro": "wraps what is given, adds no wait",
    "run_scenario": "is the harness itself",
    "run_check": "is the harness itself",
}


def awaiters(path):
    """The classes of a file that have an await_resume()."""
    named = r"\s*(?:class|struct)\s+(?:\[\[.*?\]\]\s*|ASYNCIO_API )?(?:\w+::)?(\w+)"
    owner = None
    for line in path.read_text().splitlines():
        if match := re.match(named, line):
            owner = match[1]
        elif match := re.match(r"\s*(\w+) : public ", line):  # [[nodiscard(...)]] broke the line
            owner = match[1]
        if re.search(r"(?<![.>:])\bawait_resume\(\)", line):
            yield owner


def coroutines(path):
    """The functions of a file that return a Coro."""
    declared = r"^\s*(?:static |inline |ASYNCIO_API |virtual )*Coro<.*> (\w+)\("
    for line in path.read_text().splitlines():
        if match := re.match(declared, line):
            yield match[1]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = {}
    for path in sorted((root / "include").rglob("*.hpp")):
        names = list(awaiters(path))
        if "detail" not in path.parts:
            names += coroutines(path)
        for name in names:
            found.setdefault(name, path.relative_to(root))
    covered = set()
    for path in (root / "tests" / "everywhere").glob("*.cpp"):
        for match in re.finditer(r"^// covers: (.*)$", path.read_text(), re.MULTILINE):
            covered.update(match[1].split())
    faults = [f"{path}: {name} is cancelled by no test of tests/everywhere"
              for name, path in found.items() if name not in covered and name not in EXEMPT]
    faults += [f"tests/everywhere: covers {name}, which is no awaitable"
               for name in sorted(covered - set(found))]
    print(*faults, sep="\n" if faults else "")
    return 1 if faults else 0


sys.exit(main())
