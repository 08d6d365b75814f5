"""``make soak``: the verdict on every program of tests/programs is the same in every run, alone and on a busy machine.

``python -m tests.soak [NAME ...]`` runs each program as often as ``--runs`` says, one at a time, and as often again with
``--others`` more beside it. A run is right if the test of the program (tests/python/test_programs.py) passes; each program with
a wrong run is listed with how often and why, and makes the status 1. With ``--sample N``, N programs are drawn, others each
day.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import random
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import runner
from tests.python import test_programs

RIGHT = "right"
TESTS = {
    "fires_": test_programs.test_fires,
    "quiet_": test_programs.test_quiet,
    "known_miss_": test_programs.test_known_miss,
    "known_false_": test_programs.test_known_false,
}


def verdict(path: Path) -> str:
    """``RIGHT``, or where its test fails; of what this interpreter does not have, every verdict is right."""
    test = next(test for prefix, test in TESTS.items() if path.name.startswith(prefix))
    with tempfile.TemporaryDirectory() as folder:
        try:
            test(path, runner(Path(folder)))
        except pytest.skip.Exception:
            return RIGHT
        except Exception as error:
            *_, last = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == test_programs.__file__]
            return f"{last.line} {error}".strip().partition("\n")[0]
    return RIGHT


def soak(paths: list[Path], runs: int, jobs: int) -> int:
    """How many programs had a wrong verdict in one of so many runs, with so many at a time."""
    wrong = 0
    with ThreadPoolExecutor(jobs) as pool:
        # All programs once, then all again: neighbours vary.
        order = [path for _ in range(runs) for path in random.sample(paths, len(paths))]
        verdicts = collections.defaultdict[Path, collections.Counter[str]](collections.Counter)
        for path, found in zip(order, pool.map(verdict, order), strict=True):
            verdicts[path][found] += 1
    for path, counts in sorted(verdicts.items()):
        others = {text: count for text, count in counts.items() if text != RIGHT}
        if others:
            wrong += 1
            print(
                f"{path.parent.name}/{path.stem}, {jobs} at a time: wrong in {sum(others.values())} of {runs}: {others}", flush=True
            )
    print(f"{jobs} at a time: {len(paths) - wrong} of {len(paths)} programs right in {runs} of {runs} runs", flush=True)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--others", type=int, default=3)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("names", nargs="*", help="parts of paths of programs, such as FT401")
    arguments = parser.parse_args()
    paths = [path for path in test_programs.PROGRAMS if not arguments.names or any(name in str(path) for name in arguments.names)]
    if not paths:
        parser.error("no such program")
    if arguments.sample:
        day = datetime.datetime.now(datetime.UTC).date()
        paths = random.Random(str(day)).sample(paths, min(arguments.sample, len(paths)))
    sys.exit(soak(paths, arguments.runs, 1) + soak(paths, arguments.runs, 1 + arguments.others) > 0)


if __name__ == "__main__":
    main()
