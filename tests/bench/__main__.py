"""``make bench``: what watching costs, as ratios to plain Python in the same run.

    python -m tests.bench [ROUNDS [WORKLOAD ...]]

``make bench > docs/costs.txt`` is what the documentation shows; ``make bench-check`` compares with it.

Each round runs every configuration of a workload once, beside plain Python on the same CPU (``one_cpu.py``): the noise of the
machine hits both.  Printed: the median of the ratios and, in brackets, their quartiles.  These watch for no data races, which have
tables of their own (``races.py``).
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ftsan.library import HOOKS

from tests.bench import order, races
from tests.bench.one_cpu import in_turn, on_one_cpu
from tests.bench.spread import spread
from tests.bench.where import where
from tests.bench.workloads import WORKLOADS
from tests.conftest import PLAIN

WORKLOAD_FILE = str(Path(__file__).with_name("workloads.py"))
CONFIGURATIONS = {
    "plain": PLAIN,
    "ftsan": PLAIN | {"FTSAN": "1", "LD_PRELOAD": HOOKS, "FTSAN_OPTIONS": "races=none"},
    "asyncio debug": PLAIN | {"PYTHONASYNCIODEBUG": "1", "PYTHONWARNINGS": "ignore"},
}


def cpu_seconds(workload: str, ways: list[str]) -> dict[str, float]:
    """Runs of a workload, each in a fresh interpreter, at once."""
    command = [sys.executable, WORKLOAD_FILE, workload]
    with on_one_cpu():
        runs = {
            way: subprocess.Popen(command, env=CONFIGURATIONS[way], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for way in ways
        }
    took = {}
    for way, run in runs.items():
        out, err = run.communicate()
        if run.returncode:
            raise RuntimeError(f"{workload}, {way}: {err}")
        took[way] = float(out)
    return took


def milliseconds(command: list[str]) -> float:
    """Wall time of a command."""
    start = time.perf_counter()
    subprocess.run(command, env=PLAIN, check=True)
    return (time.perf_counter() - start) * 1e3


def hooked_calls(rounds: int) -> None:
    """What a hooked call costs over the bare one, in nanoseconds: preloaded and switched on, and preloaded only.

    Both call functions that return at once (``instant_calls.c``): a kernel's answer takes 200 ns and varies by 20.
    """
    sources = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        program, instant = Path(folder, "calls"), Path(folder, "instant.so")
        subprocess.run(["cc", "-O2", "-o", program, sources / "calls.c"], check=True)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", instant, sources / "instant_calls.c"], check=True)
        ways = {
            "bare": {"LD_PRELOAD": f"{instant}"},
            "off": {"LD_PRELOAD": f"{HOOKS} {instant}"},
            "on": {"LD_PRELOAD": f"{HOOKS} {instant}", "FTSAN": "1"},
        }
        added: dict[str, dict[str, list[float]]] = {}
        for _ in range(rounds):
            seconds = {}
            for way, preload in ways.items():
                done = subprocess.run([program], env=PLAIN | preload, check=True, capture_output=True, text=True)
                seconds[way] = {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}
            for name, bare in seconds["bare"].items():
                for way in ("off", "on"):
                    added.setdefault(name, {}).setdefault(way, []).append(seconds[way][name] - bare)
    print("\nnanoseconds that a hook adds to a call: median [quartiles]")
    for name, values in added.items():
        cells = "".join("{1:8.2f} [{0:.2f}, {2:.2f}] {3:5}".format(*spread(one), way) for way, one in values.items())
        print(f"{name:16}{cells}", flush=True)


def main(rounds: int, *names: str) -> None:
    """Run everything and print the table."""
    watched = [name for name in CONFIGURATIONS if name != "plain"]
    print(f"{where()}\n{rounds} rounds; ratios of CPU time to plain Python: median [quartiles]\n")
    print(f"{'workload':16}{'plain ms':>10}  " + "".join(f"{name:26}" for name in watched))
    for workload in names or WORKLOADS:
        plain, ratios = [], {name: [] for name in watched}
        for number in range(rounds):
            for name in watched:
                if name == "ftsan" or number < 3:  # debug mode is slow, and its order of magnitude is enough
                    took = cpu_seconds(workload, in_turn(["plain", name], number))
                    plain.append(took["plain"])
                    ratios[name].append(took[name] / took["plain"])
        cells = "".join("{1:6.3f}x [{0:.3f}, {2:.3f}]   ".format(*spread(values)) for values in ratios.values())
        print(f"{workload:16}{statistics.median(plain) * 1e3:10.1f}  {cells}", flush=True)
    hooked_calls(rounds)
    bare = [milliseconds([sys.executable, "-c", ""]) for _ in range(2 * rounds)]
    run = [milliseconds([sys.executable, "-m", "ftsan", "run", "-c", ""]) for _ in range(2 * rounds)]
    added = [one - other for one, other in zip(run, bare, strict=True)]
    print("\nstart-up of `ftsan run` on an empty program: {1:+.1f} ms [{0:+.1f}, {2:+.1f}]".format(*spread(added)))
    if not names:
        order.main(rounds)
        races.main(rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11, *sys.argv[2:])
