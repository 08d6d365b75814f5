"""``ftsan run --on-hang SECONDS``: once the program has done nothing for so long, which thread waits for which.

Runs in the launcher; imports what it likes.
"""

import json
import sys
import time
from pathlib import Path

from .. import _native
from . import stacks
from .crash_folder import facts

#: Of one processor: a thread that wakes now and then to look around does not make progress.
_BUSY = 0.01


class Watchdog:
    """Looks at the processor time of a program and its children now and then, and says what they wait for when they use none."""

    def __init__(self, child: int, seconds: float, scratch: str, program: list[str], report: str) -> None:
        self.child, self.seconds, self.scratch = child, seconds, Path(scratch)
        self.program, self.report = program, report
        #: How long to wait between two looks, in seconds.
        self.interval = max(seconds / 4, 0.05)
        #: (when, processor time in seconds) of the last progress.
        self.progress = (time.monotonic(), 0.0)
        self.told = False

    def look(self) -> None:
        """Look once, and say what there is to be said, once for each hang."""
        now, used = time.monotonic(), sum(map(_used, _tree(self.child)))
        since, before = self.progress
        if used - before > max(now - since, self.interval) * _BUSY:
            self.progress, self.told = (now, used), False
        elif now - since >= self.seconds and not self.told:
            self.told = True
            self._tell(now - since)

    def _tell(self, seconds: float) -> None:
        for pid in _tree(self.child):
            recording = self.scratch / f"recording.{pid}"
            try:
                if recording.exists():
                    crash = stacks.add_tasks(json.loads(_native.ask_process(pid, str(recording))), pid)
                elif pid != self.child and _program(pid) == _program(self.child):
                    # The child of a fork keeps its recording in memory: it is looked at from outside.
                    crash = stacks.of_process(pid)
                else:
                    continue
            except (OSError, ValueError, stacks.Unreadable) as error:
                sys.stderr.write(f"ftsan: process {pid} has done nothing for {seconds:.0f} s: {error}\n")
                continue
            text = _native.triage(json.dumps(crash | facts(self.program, self.report)), True, "text")
            sys.stderr.write(f"==================\nftsan: process {pid} has done nothing for {seconds:.0f} s\n{text}")


def _tree(pid: int) -> list[int]:
    """A process and its children, those that have gone left out."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(process for child in children for process in _tree(child))]


def _program(pid: int) -> str:
    """Path of the program that a process runs, empty if it is gone."""
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return ""


def _used(pid: int) -> float:
    """Processor time of a process, in seconds."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(thread.read_text().split()[0])
        except OSError:
            continue
    return total / 1e9
