"""What ``pytest --ftsan`` costs a suite of 2,000 tests, over the same suite without it.  ``python -m tests.bench.suite [ROUNDS]``

The tests are of the kinds that there are: most of them call code of the project and compare, every tenth has two threads, every
twentieth a loop.  The project under test is watched for data races with them.

Files are in memory: a disk's search for free inodes takes up to a twentieth of the time, in one run and not in the next.  When a
thread ends, the allocator of CPython 3.14t goes through a list of one to five segments either once or a thousand times, by luck:
190 or 260 us of CPU a thread, which is 2 % of this suite.  Single ratios say little.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def run(folder: Path, options: list[str]) -> tuple[float, float]:
    """Wall seconds and CPU seconds of one run of the suite."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:cacheprovider", *options]
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=ENVIRONMENT | {"TMPDIR": str(folder.parent)}, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begun, cpu


def main(rounds: int) -> None:
    """Run the suite in each way, in turn, and print ratios of runs that came one after the other."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        (folder / "ledger.py").write_text(PROJECT)
        for number in range(FILES):
            (folder / f"test_{number}.py").write_text(TESTS)
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
        for _ in range(rounds):
            for name, (options, _) in WAYS.items():
                took[name].append(run(folder, options))
    [plain, *watched] = took.items()
    print(
        f"\n{FILES * 100} tests with pytest, {statistics.median(wall for wall, _ in plain[1]):.1f} s   budget  wall   CPU", end=""
    )
    print(f"   (load {os.getloadavg()[0]:.1f})")
    for name, runs in watched:
        pairs = list(zip(runs, plain[1], strict=True))
        ratios = [[one[which] / other[which] for one, other in pairs] for which in (0, 1)]
        cells = "   ".join("{1:6.3f}x [{0:.3f}, {2:.3f}]".format(*spread(values)) for values in ratios)
        print(f"{name:24}{WAYS[name][1]:.2f}x  {cells}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
