"""What many findings, and many processes, add to a run: ``python -m tests.bench.trees [ROUNDS]``.

Each round runs the plain program and the watched one in turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.spread import spread
from tests.conftest import PLAIN

#: As many different lines of a program call a loop from the wrong thread.
FINDINGS = 1000
#: As many processes, so many at a time, each with one finding and the work of a small script: 0.17 s in all.
PROCESSES, AT_A_TIME, TURNS = 200, 2, 8000

MISUSES = """\
import asyncio, threading
def misuse(loop):
{lines}
async def main():
    thread = threading.Thread(target=misuse, args=(asyncio.get_running_loop(),))
    thread.start()
    thread.join()
asyncio.run(main())
"""

WORK = f"""\
for _ in range({TURNS}):
    sum(range(1000))
"""

PARENT = """\
import subprocess, sys
left = {processes}
running = []
while left or running:
    while left and len(running) < {at_a_time}:
        running.append(subprocess.Popen([sys.executable, sys.argv[1]]))
        left -= 1
    running.pop(0).wait()
"""


def misuses(count: int) -> str:
    """A program with this many findings."""
    return MISUSES.format(lines="    loop.call_soon(int)\n" * count)


def seconds(folder: Path, *command: str | Path) -> float:
    """Wall time of a run, which is to end with nothing or with findings."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *command], env=PLAIN, cwd=folder, capture_output=True, check=False)
    assert done.returncode in (0, 66), done.stderr[-2000:]
    return time.perf_counter() - start


def main(rounds: int) -> None:
    """Print what is added, in seconds and as a ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        watched = ("-m", "ftsan", "run", "--report-json", folder / "report.json")
        (folder / "findings.py").write_text(misuses(FINDINGS))
        (folder / "child.py").write_text(misuses(1) + WORK)
        (folder / "parent.py").write_text(PARENT.format(processes=PROCESSES, at_a_time=AT_A_TIME))
        added, ratios = [], []
        for _ in range(rounds):
            added.append(-seconds(folder, "findings.py") + seconds(folder, *watched, "findings.py"))
            report = json.loads((folder / "report.json").read_text())
            assert len(report["findings"]) == FINDINGS, report
            ratios.append(1 / seconds(folder, "parent.py", "child.py") * seconds(folder, *watched, "parent.py", "child.py"))
            report = json.loads((folder / "report.json").read_text())
            assert report["watched"]["processes"] == PROCESSES + 1, report
    print("{3} findings in one process: {1:+.2f} s [{0:+.2f}, {2:+.2f}]".format(*spread(added), FINDINGS))
    print("{3} processes, each with one: {1:.2f}x [{0:.2f}, {2:.2f}]".format(*spread(ratios), PROCESSES))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
