"""The costs of watching for data races, as ratios to plain Python in the same run.

    python -m tests.bench.races [ROUNDS [WORKLOAD ...]]

Everything is watched (``--races all``), the workload and the standard library.  Each round runs every way once, in turn, as in
``tests.bench``; what is much slower runs in fewer rounds.  Beside ftsan: pyvft, and a CPython that was built with ThreadSanitizer
if ``$FTSAN_TSAN_PYTHON`` names one (``make bench-tsan``).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ftsan import _native
from ftsan.library import HOOKS

from tests import obtained
from tests.bench.spread import spread
from tests.bench.where import where
from tests.conftest import PLAIN

HERE = Path(__file__).parent
WORKLOAD_FILE = str(HERE / "race_workloads.py")


@dataclass(frozen=True)
class Way:
    """A way to run a workload."""

    command: list[str]
    environment: dict[str, str]
    rounds: int = 1000
    repetitions: int = 5
    share: float = 1


#: workload -> which of its figures is compared, and at most how much of it there may be (DESIGN.md, section 6)
BUDGETS = {
    "richards": ("cpu", 1.05),
    "deltablue": ("cpu", 1.15),
    "richards beside": ("cpu", 1.35),
    "deltablue beside": ("cpu", 1.6),
    "locked": ("cpu", 2.2),
    "locked by two": ("wall", 2.2),
}
#: Two threads on their own objects, and by how much more than one thread they may be slowed down.
OWN = ("own richards", "own deltablue")
OWN_BUDGET = 1.05
#: Of the time, in per cent.
SHARES = (1, 10, 100)


def ways(packages: Path) -> dict[str, Way]:
    """Plain first."""
    watched = {"FTSAN": "1", "LD_PRELOAD": HOOKS, "FTSAN_OPTIONS": _native.encode_options({"races": "all"})}
    sampled = watched | {"FTSAN_OPTIONS": _native.encode_options({"races": "all", "sample": "1"})}
    known = {
        "plain": Way([sys.executable], PLAIN),
        "ftsan": Way([sys.executable], PLAIN | watched),
        "--sample 1%": Way([sys.executable], PLAIN | sampled),
        "pyvft 0.2": Way([sys.executable, "-m", "pyvft"], PLAIN | {"PYTHONPATH": str(packages)}, 3, 1, 0.04),
    }
    if thread_sanitizer := os.environ.get("FTSAN_TSAN_PYTHON"):
        # It exits with 66 if it has found something, which in CPython it does.
        suppressions = Path(thread_sanitizer).parents[1] / "suppressions.txt"
        options = f"exitcode=0:log_path={os.devnull}" + (f":suppressions={suppressions}" if suppressions.exists() else "")
        known["ThreadSanitizer"] = Way([thread_sanitizer], PLAIN | {"TSAN_OPTIONS": options}, 3, 2, 0.2)
    return known


class Bench:
    """The rounds of some workloads."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.packages = obtained.packages(HERE / "requirements.txt", obtained.CACHE / "bench")
        self.ways = ways(self.packages)

    def run(self, way: Way, workload: str) -> dict[str, float]:
        """The figures of one run."""
        command = [*way.command, WORKLOAD_FILE, workload, str(way.repetitions), str(way.share), str(self.packages)]
        return json.loads(subprocess.run(command, env=way.environment, check=True, capture_output=True, text=True).stdout)

    def ratios(self, ways: list[str], figure: Callable[[Way], float]) -> tuple[list[float], dict[str, list[float]]]:
        """The figure of plain Python in each round, and by way the ratios to it."""
        plain: list[float] = []
        ratios: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(self.rounds):
            before = figure(self.ways["plain"])
            figures = {name: figure(self.ways[name]) for name in ways if number < self.ways[name].rounds}
            plain.append((before + figure(self.ways["plain"])) / 2)
            for name, value in figures.items():
                ratios[name].append(value / plain[-1])
        return plain, ratios

    def times(self, workloads: Iterable[str]) -> None:
        """The workloads that have a budget, or some of them, every way."""
        others = [name for name in self.ways if name != "plain"]
        print(f"\n{'races, all watched':20}{'plain ms':>10}{'budget':>8}  " + "".join(f"{name:27}" for name in others))
        for workload in workloads:
            what, budget = BUDGETS[workload]
            plain, ratios = self.ratios(others, lambda way, workload=workload, what=what: self.run(way, workload)[what])
            print(f"{workload:20}{statistics.median(plain) * 1e3:10.4g}{budget:7.2f}x  {cells(ratios)}", flush=True)

    def own_objects(self) -> None:
        """By how much more two threads on their own objects are slowed down than one is."""

        def two_over_one(way: Way) -> float:
            return self.run(way, f"{workload}, two")["cpu"] / self.run(way, workload)["cpu"]

        print(f"\n{'two threads over one':20}{'plain':>10}{'budget':>8}  ftsan")
        for workload in OWN:
            plain, ratios = self.ratios(["ftsan"], two_over_one)
            print(f"{workload:20}{statistics.median(plain):10.3f}{OWN_BUDGET:7.2f}x  {cells(ratios)}", flush=True)

    def sampled(self) -> None:
        """Print the share of races that is found, by the share of the time that is looked at."""
        print(f"\n{'of 100 races of':20}" + "".join(f"{f'--sample {share}%':26}" for share in SHARES))
        for milliseconds in (10, 100):
            found = {share: [self.found(share, milliseconds) for _ in range(min(self.rounds, 5))] for share in SHARES}
            print(
                f"{f'{milliseconds} ms':20}"
                + "".join("{1:5.0f} [{0:.0f}, {2:.0f}] found   ".format(*spread(one)) for one in found.values())
            )

    def found(self, share: int, milliseconds: int) -> int:
        """How many of the planted races one run finds."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.json")
            options = ["run", "--report-json", report, "--sample", str(share), HERE / "planted.py", str(milliseconds)]
            subprocess.run([sys.executable, "-m", "ftsan", *options], env=PLAIN, check=False, capture_output=True)
            findings = json.loads(report.read_text())["findings"]
        return len({finding["accesses"][0]["stack"][0]["file"] for finding in findings if finding["severity"] == "error"})

    def memory(self) -> None:
        """What a process keeps: its own memory, and what is resident with the code that processes share."""
        own = dict(self.ways["ftsan"].environment)
        del own["FTSAN_OPTIONS"]
        ways = {
            "plain": self.ways["plain"],
            "ftsan": replace(self.ways["ftsan"], environment=own),
            "--races all": self.ways["ftsan"],
        }
        runs = {name: [self.run(way, "memory") for _ in range(3)] for name, way in ways.items()}
        print()
        for kind, what in {"written": "own", "resident": "resident"}.items():
            plain, *more = (statistics.median(run[kind] for run in runs[name]) for name in ways)
            allowed = f", {16 + plain / 10:.1f} (16 MB and 10 %) allowed" if kind == "written" else ""
            added = ", ".join(f"{one - plain:+.1f} MB {name}" for one, name in zip(more, list(ways)[1:], strict=True))
            print(f"memory {what}: {plain:.1f} MB plain; {added}{allowed}", flush=True)


def cells(ratios: dict[str, list[float]]) -> str:
    """Median and quartiles of each."""
    return "".join("{1:7.3f}x [{0:.3f}, {2:.3f}]   ".format(*spread(values)) for values in ratios.values())


def main(rounds: int, *names: str) -> None:
    """Print the tables; with names, only what is about these workloads."""
    bench = Bench(rounds)
    bench.times(names or BUDGETS)
    if not names:
        bench.own_objects()
        bench.sampled()
        bench.memory()


if __name__ == "__main__":
    print(where())
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11, *sys.argv[2:])
