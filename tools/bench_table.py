"""Lays the measured runs out as the table: medians, with the spread beneath."""
# SPDX-License-Identifier: MIT
import statistics

from bench_build import CXX
from bench_rows import PEERS, QUOTED, SCALE



def number(value):
    """Three digits that mean something."""
    if value is None:
        return ""
    if value == int(value) and value < 1000:
        return str(int(value))
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


class Cell:
    """The values of one program in one row, by round."""

    def __init__(self, row, runs):
        self.error = any(run.error for run in runs)
        scale = SCALE[row.unit]
        rounds = set.intersection(*[set(run.values) for run in runs])
        self.values = {r: min(run.values[r][row.value] for run in runs) / scale
                       for r in rounds}

    def median(self):
        return statistics.median(self.values.values()) if self.values else None

    def text(self):
        if self.error and not self.values:
            return "failed"
        return number(self.median())

    def spread(self):
        values = self.values.values()
        if len(values) < 2 or min(values) == max(values):
            return ""
        return f"{number(min(values))}-{number(max(values))}"

    def ratio(self, other):
        """The median of the ratios within each round, which neighbours disturb least."""
        both = [self.values[r] / other.values[r] for r in self.values
                if r in other.values and other.values[r] > 0]
        return statistics.median(both) if both else None


def pair(first, second):
    if first is None and second is None:
        return ""
    return " / ".join(f"{x:.2f}" if x is not None else "-" for x in (first, second))


def lines_of(bench, row):
    """The two lines of a row, as columns."""
    cells = {column: Cell(row, runs) for column, runs in bench.cells(row)}
    peers = {p: cells[p] for p in PEERS if p in cells and cells[p].values}
    best = min(peers, key=lambda p: peers[p].median(), default=None)

    def against(column_of):
        ratios = []
        for compiler in CXX:
            us, other = cells.get(f"ours {compiler}"), cells.get(column_of(compiler))
            ratios.append(us.ratio(other) if us and other else None)
        return pair(*ratios)

    first = [f"{row.title}{', ' if row.unit else ''}{row.unit}"]
    second = [""]
    for column in columns()[1]:
        cell = cells.get(column)
        first.append(cell.text() if cell else number(row.quoted.get(column)))
        second.append(cell.spread() if cell else "")
    first += [against(lambda compiler: f"limit {compiler}"),
              against(lambda _: best), best or "", row.goal]
    return first, second + [""] * 4


def columns():
    """Headings, and the names of the columns that hold a figure each."""
    figures = [f"limit {c}" for c in CXX] + [f"ours {c}" for c in CXX]
    figures += [*PEERS, *QUOTED]
    headings = [f"{name}*" if name in QUOTED else name for name in figures]
    return ["", *headings, "/ limit", "/ best", "best here", "goal"], figures


def notes(bench, machine):
    said = [f"Measured on {machine}. Median, and least to most beneath. Rows in ns: CPU time "
            "(of the posting thread where one posts);",
            "in us, ms: wall time; in s: CPU time of the compiler. Ratios and goals: g++ / clang; "
            "goals in absolute figures hold on the machine of *.",
            "* quoted, measured on a 2-core AMD EPYC (Zen 3) VM in November 2026: not in Debian."]
    if bench.neighbours:
        said.append(f"Other processes used {statistics.median(bench.neighbours):.2f} cores "
                    f"meanwhile (median; at most {max(bench.neighbours):.2f}).")
    for name, why in bench.reasons.items():
        said.append(f"Skipped {name}: {why}")
    return said


def table(bench, machine):
    headings, _ = columns()
    rows = [lines for row in bench.rows for lines in lines_of(bench, row)]
    # A column that nobody is in takes no room.
    kept = [i for i in range(len(headings)) if i == 0 or any(line[i] for line in rows)]
    widths = [max(len(line[i]) for line in [headings, *rows]) for i in kept]

    def laid_out(line):
        cells = [line[i].ljust(w) if i == 0 else line[i].rjust(w) for i, w in zip(kept, widths)]
        return "  ".join(cells).rstrip()

    body = [laid_out(line) for line in rows]
    return "\n".join([laid_out(headings), "-" * (sum(widths) + 2 * len(widths) - 2),
                      *[line for line in body if line], "", *notes(bench, machine)])
