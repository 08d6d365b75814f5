"""``make bench-check``: which figures of a measurement are worse than those that are committed, by more than their quartiles.

    python -m tests.bench.check BEFORE AFTER

Both are what ``make bench`` prints.  A figure is worse if its lower quartile lies above the other one's median and its median above
the other one's upper quartile.  Tables whose columns are others now are named, and not compared.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

NUMBER = r"[+-]?\d+(?:\.\d+)?"
#: Median and quartiles, as ``tests.bench`` prints them.
CELL = re.compile(rf"({NUMBER})(?:x| ms)? \[({NUMBER}), ({NUMBER})\]")
#: The name of a row is all before its first number.
ROW = re.compile(rf"(\S.*?):?\s+(?:{NUMBER})")


@dataclass(frozen=True)
class Figure:
    """The median and the quartiles of one cell."""

    median: float
    lower: float
    upper: float

    def is_worse_than(self, before: Figure) -> bool:
        """Whether it is, by more than the quartiles of both."""
        return self.lower > before.median and self.median > before.upper


def tables(text: str) -> dict[str, dict[str, list[Figure]]]:
    """Each table by its first line, with the figures of each row."""
    found: dict[str, dict[str, list[Figure]]] = {}
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line]
        rows = found.setdefault(heading(lines[0]), {}) if lines else {}
        for line in lines:
            figures = [Figure(*map(float, cell)) for cell in CELL.findall(line)]
            if figures and (name := ROW.match(line)):
                rows[name[1]] = figures
    return {heading: rows for heading, rows in found.items() if rows}


def heading(line: str) -> str:
    """A table's first line, without figures where it is its only row."""
    return re.sub(rf"{NUMBER}.*", "", line) if CELL.search(line) else " ".join(line.split())


def check(before: str, after: str) -> list[str]:
    """A line for each figure that is worse, and for each table that cannot be compared."""
    said = []
    old, new = tables(before), tables(after)
    for name, rows in old.items():
        if name not in new:
            said.append(f"not compared: {name}")
            continue
        for row, figures in rows.items():
            for column, (was, now) in enumerate(zip(figures, new[name].get(row, []), strict=False), 1):
                if now.is_worse_than(was):
                    was_said, now_said = (f"{figure.median:g} [{figure.lower:g}, {figure.upper:g}]" for figure in (was, now))
                    said.append(f"worse: {row}, figure {column}: {was_said} -> {now_said}")
    return said


def main() -> int:
    """Print what is worse; the exit status is 1 if something is."""
    before, after = (Path(path).read_text() for path in sys.argv[1:3])
    said = check(before, after)
    print("\n".join(said) or "nothing is worse by more than its quartiles")
    return int(any(line.startswith("worse") for line in said))


if __name__ == "__main__":
    sys.exit(main())
