"""Times of findings, threads and runs of loops: in the report, and as a Chrome trace."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN, Run, runner

#: A loop that another thread uses twice, at a time and later, and a thread that has ended by then.
PROGRAM = """
import asyncio, threading

async def main():
    loop = asyncio.get_running_loop()
    gone = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0)), name="gone")
    gone.start()
    gone.join()
    first, second = threading.Event(), threading.Event()

    def work():
        loop.call_soon(int)
        first.set()
        second.wait()
        loop.call_later(0, int)

    worker = threading.Thread(target=work, name="worker")
    worker.start()
    await asyncio.to_thread(first.wait)
    second.set()
    await asyncio.to_thread(worker.join)

asyncio.run(main())
"""

#: A lost update by two threads.
RACE = """
import threading

class Box:
    n = 0

box = Box()

def bump():
    box.n += 1

threads = [threading.Thread(target=bump, name=name) for name in ("one", "two")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, float, float]:
    """A run, and when it began and ended."""
    folder = tmp_path_factory.mktemp("timed")
    (folder / "app.py").write_text(PROGRAM)
    began = time.time()
    done = runner(folder)("--races=none", folder / "app.py")
    return done, began, time.time()


def spans(report: dict[str, Any], thread: str) -> list[dict[str, Any]]:
    return [span for span in report["timeline"]["spans"] if span["thread"] == thread]


def test_findings_are_timed_in_their_order(run: tuple[Run, float, float]) -> None:
    done, began, ended = run
    first, second = done.report["findings"]
    assert [first["accesses"][0]["operation"], second["accesses"][0]["operation"]] == ["call_soon", "call_later"]
    assert began * 1e6 < first["made"]["at"] < second["made"]["at"] < ended * 1e6
    assert {first["made"]["pid"]} == {second["made"]["pid"]} == {*first["pids"]}


def test_threads_and_runs_of_loops_are_timed(run: tuple[Run, float, float]) -> None:
    report = run[0].report
    [worker] = spans(report, "worker")
    times = [one["made"]["at"] for one in report["findings"]]
    assert worker["began"] <= times[0] < times[1] <= worker["ended"]
    assert worker["native_id"] == report["findings"][0]["accesses"][0]["thread"]["native_id"]
    # asyncio.run() runs the loop again to shut it down.
    main, own_run, *shutting_down = sorted(spans(report, "MainThread"), key=lambda span: span["began"])
    assert len(shutting_down) == 2 and all(times[1] < span["began"] for span in shutting_down)
    assert main["native_id"] == main["pid"] == report["findings"][0]["made"]["pid"]
    assert own_run["loop"] == {"type": "asyncio.unix_events._UnixSelectorEventLoop", "id": report["findings"][0]["loop"]["id"]}
    assert main["began"] <= own_run["began"] < times[0] and times[1] < own_run["ended"]
    # A thread that had ended before anything was found is told as well.
    life, *runs = sorted(spans(report, "gone"), key=lambda span: "loop" in span)
    assert len(runs) == 3 and all(life["began"] <= span["began"] <= span["ended"] <= life["ended"] < times[0] for span in runs)


def test_a_run_without_findings_has_no_times(tmp_path: Path) -> None:
    assert "timeline" not in runner(tmp_path)("-c", "import asyncio; asyncio.run(asyncio.sleep(0))").report


def test_the_child_of_a_fork_has_a_timeline_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import os, warnings\nwarnings.simplefilter('ignore')\nchild = os.fork()\n" + PROGRAM + "\nif child: os.waitpid(child, 0)\n"
    )
    report = runner(tmp_path)("--races=none", tmp_path / "app.py").report
    mains = [span for span in spans(report, "MainThread") if "loop" not in span]
    assert len({span["pid"] for span in mains}) == 2 == len(report["findings"][0]["pids"])
    assert all(span["native_id"] == span["pid"] for span in mains)


def test_what_was_merged_has_the_times_of_both(run: tuple[Run, float, float], tmp_path: Path) -> None:
    report = run[0].report
    other = json.loads(json.dumps(report).replace(str(report["findings"][0]["made"]["pid"]), "7"))
    for name, content in (("a.json", report), ("b.json", other)):
        (tmp_path / name).write_text(json.dumps(content))
    command = [sys.executable, "-m", "ftsan", "merge", "a.json", "b.json", "-o", "all.json"]
    subprocess.run(command, env=PLAIN, cwd=tmp_path, check=True, capture_output=True)
    merged = json.loads((tmp_path / "all.json").read_text())
    assert merged["findings"][0]["made"] == report["findings"][0]["made"], "of the stacks that are shown"
    assert len(merged["timeline"]["spans"]) == 2 * len(report["timeline"]["spans"])


def traced(report: dict[str, Any], folder: Path) -> dict[str, Any]:
    (folder / "report.json").write_text(json.dumps(report))
    command = [sys.executable, "-m", "ftsan", "report", "report.json", "--to", "chrome"]
    done = subprocess.run(command, env=PLAIN, cwd=folder, check=True, capture_output=True, text=True)
    trace: dict[str, Any] = json.loads(done.stdout)
    return trace


#: What events of each phase have beside a name ("Trace Event Format", Event Descriptions).
FIELDS = {
    "M": {"args": dict},
    "X": {"ts": int, "dur": int, "cat": str, "args": dict},
    "i": {"ts": int, "s": str, "cat": str, "args": dict},
    "b": {"ts": int, "id": str, "cat": str},
    "e": {"ts": int, "id": str, "cat": str},
    "s": {"ts": int, "id": int, "cat": str},
    "f": {"ts": int, "id": int, "cat": str, "bp": str},
}


def check(trace: dict[str, Any]) -> None:
    """Whether this is a trace by the documentation of the format, whose arrows lead from slices to slices."""
    assert trace["displayTimeUnit"] in ("ms", "ns")
    events = trace["traceEvents"]
    tracks: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for event in events:
        assert isinstance(event["name"], str) and isinstance(event["pid"], int) and isinstance(event["tid"], int), event
        for field, kind in FIELDS[event["ph"]].items():
            assert type(event[field]) is kind, (field, event)
        assert event.get("ts", 0) >= 0 <= event.get("dur", 0)
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name") and type(event["args"]["name"]) is str
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for slices in tracks.values():
        for begin, end in slices:
            assert all(
                end <= other or begin >= until or (begin <= other and until <= end) or (other <= begin and end <= until)
                for other, until in slices
            )
    open_runs: dict[tuple[str, str], int] = defaultdict(int)
    for event in sorted((event for event in events if event["ph"] in "be"), key=lambda event: (event["ts"], event["ph"])):
        open_runs[event["cat"], event["id"]] += 1 if event["ph"] == "b" else -1
    assert set(open_runs.values()) <= {0}
    begun = {(event["cat"], event["name"], event["id"]): event["ts"] for event in events if event["ph"] == "s"}
    ended = {(event["cat"], event["name"], event["id"]): event["ts"] for event in events if event["ph"] == "f"}
    assert begun.keys() == ended.keys() and all(begun[key] <= ended[key] for key in begun)
    for event in (event for event in events if event["ph"] in "sf"):
        assert any(begin <= event["ts"] <= end for begin, end in tracks[event["pid"], event["tid"]]), event


def test_a_trace_has_threads_loops_findings_and_arrows(run: tuple[Run, float, float], tmp_path: Path) -> None:
    trace = traced(run[0].report, tmp_path)
    check(trace)
    events = trace["traceEvents"]
    names = {(event["pid"], event["tid"]): event["args"]["name"] for event in events if event["name"] == "thread_name"}
    instants = [event for event in events if event["ph"] == "i"]
    assert [(event["name"], names[event["pid"], event["tid"]]) for event in instants] == [
        ("FT101 loop-call-off-thread", "worker")
    ] * 2
    assert {names[event["pid"], event["tid"]] for event in events if event["ph"] == "s"} == {"MainThread"}
    assert {names[event["pid"], event["tid"]] for event in events if event["ph"] == "f"} == {"worker"}
    runs = [(event["name"], names[event["pid"], event["tid"]]) for event in events if event["ph"] == "X" and event["cat"] == "loop"]
    assert sorted({*runs}) == [("runs asyncio.unix_events._UnixSelectorEventLoop", name) for name in ("MainThread", "gone")]
    sides = [event for event in events if event.get("cat") == "access"]
    assert all(any("app.py" in line for line in event["args"]["stack"]) for event in sides)


def test_an_earlier_access_is_said_not_to_be_timed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(RACE)
    report = runner(tmp_path)("--races=__main__", tmp_path / "app.py").report
    trace = traced(report, tmp_path)
    check(trace)
    earlier = [event for event in trace["traceEvents"] if event.get("args", {}).get("role") == "earlier"]
    assert earlier and {event["args"]["when"] for event in earlier} == {"before: accesses are not timed"}


def test_an_old_report_without_times_says_so(run: tuple[Run, float, float], tmp_path: Path) -> None:
    report = json.loads(json.dumps(run[0].report))
    del report["timeline"]
    for one in report["findings"]:
        del one["made"]
    trace = traced(report, tmp_path)
    check(trace)
    assert (trace["traceEvents"], len(trace["otherData"]["without a time"])) == ([], 2)


def test_a_process_that_is_killed_has_told_its_times(tmp_path: Path) -> None:
    program = PROGRAM.replace(
        "    await asyncio.to_thread(worker.join)", "    import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    (tmp_path / "app.py").write_text(program)
    done = runner(tmp_path)("--races=none", tmp_path / "app.py")
    assert done.status == 128 + 9
    [main, own_run] = spans(done.report, "MainThread")
    assert "ended" not in main and "ended" not in own_run
    check(traced(done.report, tmp_path))
