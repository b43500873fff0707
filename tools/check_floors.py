#!/usr/bin/env python3
# Checks the house rules: no include upwards, no circle, sizes, first lines, doc comments.
# SPDX-License-Identifier: MIT
"""Usage: tools/check_floors.py [ROOT]. Prints one line per fault; exit status 1 if there is any."""

import pathlib
import re
import sys

# A room may include rooms of smaller numbers and itself, but not another room of its own floor.
ROOMS = {
    "base": 0,
    "core": 1,
    "combine": 2, "sync": 2, "threads": 2, "graph": 2,
    "io": 3,
    "streams": 4,
    "net": 5, "os": 5,
    "run": 6, "sim": 6,
    "all": 7,
}

# The room behind each public header; a folder stands for what lies in it.
CHAPTERS = {
    "base": "exceptions",
    "core": "coro generator task future outcome context limit event_loop sleep",
    "combine": "gather race wait timeout shield task_group scope",
    "sync": "sync queue",
    "threads": "threads",
    "graph": "graph",
    "streams": "streams tls",
    "net": "datagram dns transports",
    "os": "subprocess signals files",
    "run": "run",
    "sim": "testing",
    "all": "asyncio",
}
ROOM_OF_CHAPTER = {name: room for room, names in CHAPTERS.items() for name in names.split()}

# Includes the law forbids and a decision record allows: (file, included file).
ALLOWED = {
    # docs/decisions/0013: the engines of the combinators are built from coroutines and tasks.
    ("include/asyncio/detail/combine/body.hpp", "include/asyncio/coro.hpp"),
    ("include/asyncio/detail/combine/join.hpp", "include/asyncio/coro.hpp"),
    ("include/asyncio/detail/combine/join.hpp", "include/asyncio/future.hpp"),
    ("include/asyncio/detail/combine/join.hpp", "include/asyncio/task.hpp"),
}

# Two headers that are one subject: the first ends by including the second, which needs it.
COMPANIONS = {
    ("include/asyncio/coro.hpp", "include/asyncio/generator.hpp"),
    ("include/asyncio/gather.hpp", "include/asyncio/race.hpp"),
}

# Heavy, or not ours to force on a user.
BANNED_STD = {"iostream", "functional", "regex", "filesystem"}

MAX_LINES = {"tests": 600}
MAX_LINES_ELSEWHERE = 400
MAX_COLUMNS = 100

faults = []


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}")


def room_of(path):
    """The room of a file of ours, or None: src/sync/lock.cpp -> sync."""
    parts = path.split("/")
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    if path.startswith("include/asyncio/detail/"):
        return parts[3] if len(parts) > 4 else None
    if path.startswith("include/asyncio/"):
        return ROOM_OF_CHAPTER.get(parts[2].removesuffix(".hpp"))
    return None


def is_public(path):
    return path.startswith("include/asyncio/") and "/detail/" not in path


def includes(text):
    """(line number, "<" or quote, name) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[1], match[2]


def resolve(bracket, name):
    """The path in the repository of an included file, or None if it is std's or the system's."""
    if name.startswith("asyncio/"):
        return "include/" + name
    return "src/" + name if bracket == '"' else None


def check_include(path, line, bracket, name, files):
    target = resolve(bracket, name)
    if target is None:
        if path.startswith("include/"):
            if name.endswith(".h") or "/" in name:
                fault(path, line, f"<{name}>: no platform header in include/")
            elif name in BANNED_STD:
                fault(path, line, f"<{name}> is not allowed in include/")
        return
    if target not in files:
        fault(path, line, f"{name} does not exist")
        return
    if (path, target) in ALLOWED:
        return
    if path.startswith("include/") and target.startswith("src/"):
        fault(path, line, f"an installed header includes the private {name}")
    if "/detail/" in path and is_public(target) and target != "include/asyncio/exceptions.hpp":
        fault(path, line, f"private never includes public: {name}")
    ours, theirs = room_of(path), room_of(target)
    if ours is None or theirs is None or ours not in ROOMS or theirs not in ROOMS:
        return  # said once, by check_room
    if ROOMS[theirs] > ROOMS[ours]:
        fault(path, line, f"{ours} is floor {ROOMS[ours]} and includes {name} of floor "
                          f"{ROOMS[theirs]} ({theirs})")
    elif ROOMS[theirs] == ROOMS[ours] and theirs != ours:
        fault(path, line, f"{ours} and {theirs} share a floor and must not know each other: {name}")


def check_room(path):
    room = room_of(path)
    if room is None:
        fault(path, 1, "is in no room (see CHAPTERS and ROOMS in tools/check_floors.py)")
    elif room not in ROOMS:
        fault(path, 1, f"{room} is no room (see ROOMS in tools/check_floors.py)")


def check_own_header_first(path, text, files):
    """A source that has a header includes it first: that proves that it stands alone."""
    own = path.removesuffix(".cpp") + ".hpp"
    if own not in files:
        return
    for line, bracket, name in includes(text):
        if resolve(bracket, name) != own:
            fault(path, line, f'the first include must be "{own.removeprefix("src/")}"')
        return
    fault(path, 1, f"does not include {own}")


def check_circles(graph):
    state = {}

    def visit(path, trail):
        state[path] = "open"
        for line, target in graph.get(path, ()):
            if (path, target) in COMPANIONS or target not in graph:
                continue
            if state.get(target) == "open":
                circle = trail[trail.index(target):] + [target]
                fault(path, line, "includes go in a circle: " + " -> ".join(circle))
            elif target not in state:
                visit(target, trail + [target])
        state[path] = "closed"

    for path in sorted(graph):
        if path not in state:
            visit(path, [path])


def check_shape(path, text):
    lines = text.splitlines()
    limit = MAX_LINES.get(path.split("/")[0], MAX_LINES_ELSEWHERE)
    if len(lines) > limit:
        fault(path, len(lines), f"has {len(lines)} lines; the limit is {limit}")
    for number, line in enumerate(lines, 1):
        if path.startswith("tests/refuses/") and number == 1:
            continue  # the words of the error stand in one line
        if len(line) > MAX_COLUMNS:
            fault(path, number, f"has {len(line)} columns; the limit is {MAX_COLUMNS}")
    head = lines[1:] if lines and lines[0].startswith("#!") else lines
    mark = "//" if path.endswith((".cpp", ".hpp", ".S")) else "#"
    docstring = mark == "#" and head[:1] and head[0].startswith('"""')
    purpose = '"""' if docstring else re.escape(mark) + " "
    if not head or not re.match(purpose + r"\S+ \S+", head[0]) or "SPDX" in head[0]:
        fault(path, 1, "the first line must say what the file is for")
    # A docstring, or what a case refuses, may take several lines.
    place = head[:12] if docstring or path.startswith("tests/refuses/") else head[1:2]
    if f"{mark} SPDX-License-Identifier: MIT" not in place:
        fault(path, 2, f"the second line must be `{mark} SPDX-License-Identifier: MIT`")
    if path.endswith(".hpp") and "#pragma once" not in lines:
        fault(path, 1, "has no #pragma once")
    for number, line in enumerate(lines, 1):
        if re.search(r"TODO(?!\(#\d+\))", line) and path != "tools/check_floors.py":
            fault(path, number, "a TODO needs a number: TODO(#123)")


def without_comments(text):
    """The same lines, with comments and the contents of strings blanked."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def without_head(statement, word, opening, closing):
    """Without `word` and the brackets behind it, if the statement begins so."""
    statement = statement.strip()
    match = re.match(word + r"\s*" + re.escape(opening), statement)
    depth = 0
    for at in range(match.end() - 1, len(statement)) if match else ():
        depth += {opening: 1, closing: -1}.get(statement[at], 0)
        if depth == 0:
            return without_head(statement[at + 1:], word, opening, closing)
    return statement


def declared_name(statement):
    """(kind, name) of what a declaration outside of classes declares, or None if it needs no
    comment of its own."""
    ends_in_body = statement.endswith("{")
    statement = without_head(statement, "template", "<", ">")
    statement = without_head(statement, "requires", "(", ")")
    statement = re.sub(r"\[\[.*?\]\]", " ", statement, flags=re.S)
    statement = re.sub(r"\bASYNCIO_\w+", " ", statement)
    statement = re.sub(r"^\s*((inline|constexpr|static)\b|requires\s+[\w:]+<[^()]*?>(?=\s))",
                       " ", statement).strip()
    match = re.match(r"(class|struct|union|enum class|enum|concept|using)\s+([\w:]+)", statement)
    if match:
        kind, name = match[1], match[2]
        if "::" in name or name == "namespace" or (kind in ("class", "struct", "union") and
                                                   not ends_in_body):
            return None
        return kind, name
    if re.match(r"(friend|static_assert|namespace|extern|using)\b", statement):
        return None
    match = re.search(r"([\w:~]+)\s*\(", statement)
    if not match or "::" in match[1] or "operator" in statement[:match.end() + 2]:
        return None
    return "function", match[1]


def declarations(text):
    """(line, documented, kind, name) of what stands in namespace asyncio, detail excepted."""
    raw = text.splitlines()
    scopes = []  # "open": a namespace users see; "hidden": detail, a class, a body
    statement, first_line, line, parens, directive = "", 0, 1, 0, False
    code = without_comments(text)
    for at, char in enumerate(code):
        if char == "\n":
            directive = directive and code[at - 1] == "\\"
            line += 1
            statement += " "
            continue
        if directive:
            continue
        if char == "#" and not statement.strip():
            directive = True
            continue
        if "hidden" in scopes:
            if char == "{":
                scopes.append("hidden")
            elif char == "}":
                scopes.pop()
                statement = ""
            continue
        if not statement.strip():
            statement, first_line = "", line
        parens += {"(": 1, ")": -1}.get(char, 0)
        if char == "}":
            if scopes:
                scopes.pop()
            statement = ""
        elif char in ";{" and parens == 0:
            statement += char
            namespace = re.match(r"\s*(inline\s+)?namespace\s*([\w: ]*)\{", statement)
            if namespace:
                scopes.append("hidden" if "detail" in namespace[2] else "open")
            else:
                found = declared_name(statement) if scopes else None
                if found:
                    above = raw[first_line - 2].strip() if first_line > 1 else ""
                    yield first_line, above.startswith("///"), *found
                if char == "{":
                    scopes.append("hidden")
            statement = ""
        else:
            statement += char


def check_doc_comments(public):
    seen = [(path, *found) for path, text in public.items() for found in declarations(text)]
    # One comment serves all overloads, and a definition further down.
    documented = {name for _, _, has_comment, _, name in seen if has_comment}
    for path, line, _, kind, name in seen:
        if name not in documented:
            documented.add(name)
            fault(path, line, f"{kind} {name} has no comment (///)")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    files = {}
    for room in ("include", "src", "tests", "examples", "bench", "tools", "cmake", ".ci"):
        for path in sorted((root / room).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and (path.suffix in (".cpp", ".hpp", ".S", ".py", ".sh", ".cmake")
                                   or name in ("tools/bench", "tools/check", ".ci/run")):
                files[name] = path.read_text(encoding="utf-8")

    graph = {}
    for path, text in files.items():
        check_shape(path, text)
        if not path.startswith(("include/", "src/")):
            continue
        check_room(path)
        for line, bracket, name in includes(text):
            check_include(path, line, bracket, name, files)
            graph.setdefault(path, []).append((line, resolve(bracket, name)))
        if path.startswith("src/") and path.endswith(".cpp"):
            check_own_header_first(path, text, files)
    check_circles(graph)
    check_doc_comments({path: text for path, text in files.items() if is_public(path)})

    print("\n".join(sorted(faults)) or f"{len(files)} files keep the house rules")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
