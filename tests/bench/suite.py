"""What ``pytest --ftsan`` costs a suite of 2,000 tests, over the same suite without it.  ``python -m tests.bench.suite [ROUNDS]``

The tests are of the kinds that there are: most of them call code of the project and compare, every tenth has two threads, every
twentieth a loop.  The project under test is watched for data races with them.

Each round runs the suite once in each way, one after the other, for the wall time, and then each way beside plain pytest on one
CPU, for the CPU time (``one_cpu.py``: the wall time's spread is the machine's).  Two at once and no more: beside a third one, which
has tables of its own in the CPU's caches, ftsan's own code is cold more often, and costs a hundredth more.

Files are in memory: a disk's search for free inodes takes up to a twentieth of the time, in one run and not in the next.  When a
thread ends, the allocator of CPython 3.14t goes through a list of one to five segments either once or a thousand times, by luck:
190 or 260 us of CPU a thread, which is 2 % of this suite.  Single ratios say little.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.one_cpu import in_turn, on_one_cpu
from tests.bench.spread import spread
from tests.conftest import PLAIN

#: A file system in memory, on Linux.
IN_MEMORY = Path("/dev/shm")

#: Files of tests, each of 100.
FILES = 20

PROJECT = '''
import json, threading

class Ledger:
    """Keeps amounts by name."""
    def __init__(self):
        self.lock, self.amounts, self.entries = threading.Lock(), {}, 0

    def add(self, name, amount):
        with self.lock:
            self.amounts[name] = self.amounts.get(name, 0) + amount
            self.entries += 1

    def dump(self):
        return json.dumps(dict(sorted(self.amounts.items())))

    @classmethod
    def load(cls, text):
        ledger = cls()
        for name, amount in json.loads(text).items():
            ledger.add(name, amount)
        return ledger

def primes(limit):
    sieve = [True] * limit
    for number in range(2, int(limit ** 0.5) + 1):
        if sieve[number]:
            for multiple in range(number * number, limit, number):
                sieve[multiple] = False
    return [number for number in range(2, limit) if sieve[number]]
'''

TESTS = """
import asyncio, threading
import pytest
import ledger

@pytest.fixture
def book():
    made = ledger.Ledger()
    for number in range(50):
        made.add(f"name {number}", number)
    return made

@pytest.mark.parametrize("number", range(45))
def test_dump(book, number):
    book.add("one more", number)
    assert ledger.Ledger.load(book.dump()).amounts == book.amounts

@pytest.mark.parametrize("limit", range(500, 545))
def test_primes(limit):
    assert all(number % 2 for number in ledger.primes(limit)[1:])

@pytest.mark.parametrize("number", range(5))
def test_threads(book, number, tmp_path):
    threads = [threading.Thread(target=book.add, args=("shared", number)) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert book.amounts["shared"] == 2 * number

@pytest.mark.parametrize("number", range(5))
def test_loop(book, number):
    async def add():
        await asyncio.sleep(0)
        await asyncio.to_thread(book.add, "shared", number)
    asyncio.run(add())
    assert book.amounts["shared"] == number
"""

#: As users have it: pytest keeps what it has compiled, of the tests and of plug-ins.  Otherwise both are compiled anew in each run.
ENVIRONMENT = {name: value for name, value in PLAIN.items() if name != "PYTHONDONTWRITEBYTECODE"}

#: How the suite is run, with the most that it may cost over the first.
WAYS = {
    "plain": ([], 1.0),
    "affinity": (["--ftsan", "--ftsan-races=none"], 1.05),
    "races": (["--ftsan"], 1.25),
}


def start(folder: Path, way: str) -> subprocess.Popen[bytes]:
    """Start one run of the suite."""
    own = folder.parent / way
    own.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:cacheprovider", *WAYS[way][0]]
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT | {"TMPDIR": str(own)}, stdout=subprocess.DEVNULL)


def run(folder: Path, way: str) -> float:
    """Wall seconds of one run of the suite."""
    begun = time.perf_counter()
    if status := start(folder, way).wait():
        raise RuntimeError(f"{way}: pytest ended with {status}")
    return time.perf_counter() - begun


def run_at_once(folder: Path, ways: list[str]) -> dict[str, float]:
    """CPU seconds of a run in each of these ways, all of them at once on one CPU."""
    with on_one_cpu():
        processes = [start(folder, way) for way in ways]
    took = {}
    for way, process in zip(ways, processes, strict=True):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{way}: pytest ended with {process.returncode}")
        took[way] = usage.ru_utime + usage.ru_stime
    return took


def main(rounds: int) -> None:
    """Run the suite in each way, and print ratios of runs that belong together."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        (folder / "ledger.py").write_text(PROJECT)
        for number in range(FILES):
            (folder / f"test_{number}.py").write_text(TESTS)
        names = list(WAYS)
        run_at_once(folder, names)  # compiles the tests
        walls = []
        times: dict[str, list[dict[str, float]]] = {name: [] for name in names[1:]}
        for number in range(rounds):
            walls.append({name: run(folder, name) for name in in_turn(names, number)})
            for name, pairs in times.items():
                pairs.append(run_at_once(folder, in_turn(["plain", name], number)))
    plain = statistics.median(one["plain"] for one in walls)
    print(f"\n{FILES * 100} tests with pytest, {plain:.1f} s   budget  wall, in turn              CPU, at once")
    for name, pairs in times.items():
        ratios = [[one[name] / one["plain"] for one in taken] for taken in (walls, pairs)]
        cells = "   ".join("{1:6.3f}x [{0:.3f}, {2:.3f}]".format(*spread(values)) for values in ratios)
        print(f"{name:30}{WAYS[name][1]:.2f}x  {cells}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
