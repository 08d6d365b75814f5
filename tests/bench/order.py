"""The costs that the order between threads adds to hand-overs, in nanoseconds: see ``order_calls.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ftsan.library import HOOKS

from tests.bench.spread import spread
from tests.conftest import PLAIN

CALLS = str(Path(__file__).with_name("order_calls.py"))
WAYS = {
    "plain": PLAIN,
    # No races: nothing of it is hooked.
    "off": PLAIN | {"FTSAN": "1", "LD_PRELOAD": HOOKS, "FTSAN_OPTIONS": "races=none"},
    # Of a package that is not there: no probes, and a status that says so.
    "on": PLAIN | {"FTSAN": "1", "LD_PRELOAD": HOOKS, "FTSAN_OPTIONS": "races=no_such_package"},
}


def main(rounds: int) -> None:
    """Run each way once in each round, and print the differences."""
    added: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        figures = {}
        for way, environment in WAYS.items():
            done = subprocess.run([sys.executable, CALLS], env=environment, check=False, capture_output=True, text=True)
            assert done.returncode == (67 if way == "on" else 0), done.stderr
            figures[way] = {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}
        for name, plain in figures["plain"].items():
            row = added.setdefault(name, {})
            row.setdefault("plain", []).append(plain)
            for way in ("off", "on"):
                row.setdefault(way, []).append(figures[way][name] - plain)
    print("\nnanoseconds, and what the order between threads adds: median [quartiles]")
    for name, values in added.items():
        cells = "".join("{1:10.1f} [{0:.1f}, {2:.1f}] {3:6}".format(*spread(one), way) for way, one in values.items())
        print(f"{name:16}{cells}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
