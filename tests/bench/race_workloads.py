"""The workloads of the race benchmarks: ``race_workloads.py WORKLOAD REPETITIONS SHARE FOLDER``.

Prints as JSON what the fastest repetition took per iteration, in seconds of CPU time of one thread (``cpu``) and of wall time
(``wall``), and in MB what the process keeps resident in the end (``resident``) and how much of that it has written (``written``);
the rest is code.  SHARE says how much of the usual number of iterations is run; FOLDER has pyperformance.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any

#: The work of one thread: called once to get ready, in that thread; the function that it returns is measured.
Prepare = Callable[[], Callable[[int], Any]]

ENTRIES = 200_000


def program(benchmark: str) -> types.CodeType:
    """The code of a benchmark of pyperformance.  It only needs pyperf if it is run as a script."""
    sys.modules["pyperf"] = types.ModuleType("pyperf")
    spec = importlib.util.find_spec("run_benchmark")
    assert spec and spec.loader and f"bm_{benchmark}" in str(spec.origin)
    return spec.loader.get_code("run_benchmark")


def called(benchmark: str, namespace: dict[str, Any]) -> Callable[[int], Any]:
    """What a benchmark consists of."""
    if benchmark == "richards":
        return namespace["Richards"]().run

    def delta_blue(iterations: int) -> None:
        for _ in range(iterations):
            namespace["delta_blue"](100)

    return delta_blue


def alone(benchmark: str) -> Prepare:
    """A benchmark, as its users run it."""

    def prepare() -> Callable[[int], Any]:
        sys.modules["pyperf"] = types.ModuleType("pyperf")
        return called(benchmark, vars(importlib.import_module("run_benchmark")))

    return prepare


def beside(benchmark: str) -> Prepare:
    """The same in a process that has another thread, which waits."""

    def prepare() -> Callable[[int], Any]:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return alone(benchmark)()

    return prepare


def own(benchmark: str) -> Prepare:
    """A benchmark whose objects, those of its module included, are the thread's own; only the code is shared."""
    code = program(benchmark)

    def prepare() -> Callable[[int], Any]:
        namespace = {"__name__": "run_benchmark"}
        exec(code, namespace)
        return called(benchmark, namespace)

    return prepare


class Shared:
    """A counter and a dict, protected by one lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.by_name: dict[str, int] = {}


def locked(shared: Shared) -> Prepare:
    """Counting in objects that another thread made and perhaps uses at the same time, never without the lock."""
    names = [f"name {number}" for number in range(16)]

    def work(iterations: int) -> None:
        for number in range(iterations):
            name = names[number & 15]
            with shared.lock:
                shared.count += 1
                if name in shared.by_name:
                    shared.by_name[name] += 1
                else:
                    shared.by_name[name] = 1

    return lambda: work


class Entry:
    """One of many."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.visits = 0


def visits() -> Prepare:
    """Very many objects, each visited by every thread: all of them, and what is in them, have to be remembered."""
    entries = {number: Entry(number) for number in range(ENTRIES)}
    lock = threading.Lock()

    def work(iterations: int) -> None:
        for _ in range(iterations):
            for number in range(ENTRIES):
                with lock:
                    entries[number].visits += 1

    return lambda: work


#: name -> (what a thread prepares, threads, usual number of iterations)
WORKLOADS: dict[str, tuple[Callable[[], Prepare], int, int]] = {
    "richards": (lambda: alone("richards"), 0, 6),
    "deltablue": (lambda: alone("deltablue"), 0, 30),
    "richards beside": (lambda: beside("richards"), 0, 6),
    "deltablue beside": (lambda: beside("deltablue"), 0, 30),
    "locked": (lambda: locked(Shared()), 1, 200_000),
    "locked by two": (lambda: locked(Shared()), 2, 200_000),
    "own richards": (lambda: own("richards"), 1, 6),
    "own richards, two": (lambda: own("richards"), 2, 6),
    "own deltablue": (lambda: own("deltablue"), 1, 30),
    "own deltablue, two": (lambda: own("deltablue"), 2, 30),
    "memory": (visits, 2, 1),
}


def timed(work: Callable[[int], Any], iterations: int) -> tuple[float, float]:
    """CPU and wall seconds per iteration."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work(iterations)
    return (time.thread_time() - cpu) / iterations, (time.perf_counter() - wall) / iterations


def measured(prepare: Prepare, threads: int, iterations: int, repetitions: int) -> dict[str, float]:
    """The fastest of some repetitions, in the main thread (0) or so many others; with two, a thread's CPU time is their mean."""
    took: list[list[tuple[float, float]]] = [[] for _ in range(repetitions)]
    together = threading.Barrier(threads or 1)

    def run() -> None:
        work = prepare()
        if repetitions > 1:
            work(max(1, iterations // 5))
        for seconds in took:
            together.wait()
            seconds.append(timed(work, iterations))

    others = [threading.Thread(target=run) for _ in range(threads)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    if not threads:
        run()
    cpu = min(sum(one[0] for one in seconds) / len(seconds) for seconds in took)
    wall = min(max(one[1] for one in seconds) for seconds in took)
    return {"cpu": cpu, "wall": wall}


def memory() -> dict[str, float]:
    """What the process keeps, in MB."""
    with open("/proc/self/smaps_rollup") as rollup:
        size = {name: int(value) / 1024 for name, value, *_ in map(str.split, rollup.readlines()[1:])}
    return {"resident": size["Rss:"], "written": size["Private_Dirty:"] + size["Shared_Dirty:"]}


def main(workload: str, repetitions: str, share: str, folder: str) -> None:
    """Run a workload and say what it took."""
    benchmark = next((name for name in ("richards", "deltablue") if name in workload), "")
    sys.path.insert(0, f"{folder}/pyperformance/data-files/benchmarks/bm_{benchmark}")
    make, threads, iterations = WORKLOADS[workload]
    figures = measured(make(), threads, max(1, round(iterations * float(share))), int(repetitions))
    print(json.dumps(figures | memory()))


if __name__ == "__main__":
    main(*sys.argv[1:])
