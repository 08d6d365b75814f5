"""What a process is doing at a moment, for ``ftsan top``: threads, loops, tasks, locks, descriptors, findings, as data and as text.

Of a process that ``ftsan run`` has started, the recording tells what threads hold and wait for: it is asked by a signal.  The
stacks of others are read from outside (``_remote_debugging``), as are tasks, and nothing of the process is touched.
"""

import contextlib
import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .. import _native
from . import stacks
from .entering import Process, Refused, why_not

type Picture = dict[str, Any]

#: What a thread waits for whose loop has nothing to do (``src/triage/judge/hang.rs``).
IDLE = "something for its event loop to do"

#: What cannot be seen of locks from outside (``python/native/src/launcher/waits.rs``).
NO_LOCKS = "locks: which thread has one that was acquired without a with statement"

#: Files whose functions run a loop, and whose loop it is.
LOOPS = (
    ("/asyncio/base_events.py", "asyncio"),
    ("/asyncio/runners.py", "asyncio"),
    ("/trio/_core/_run.py", "trio"),
    ("/twisted/internet/base.py", "twisted"),
)

#: How descriptors are called by what /proc says that they lead to.
DESCRIPTORS = (("socket:", "socket"), ("pipe:", "pipe"), ("anon_inode:[", ""), ("/", "file"))


class View:
    """A process that is looked at again and again."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.command = _words(process.pid, "cmdline")
        variables = dict(word.partition("=")[::2] for word in _words(process.pid, "environ"))
        recording = f"{variables.get('FTSAN_RECORDING', '')}.{process.pid}"
        self.recording = recording if os.path.exists(recording) else ""
        self.is_watched = variables.get("FTSAN") == "1"
        self.report = _report_of(variables, process.pid) if self.is_watched else ""
        #: What is not to be seen, beyond what each look finds out.
        why = "it has no report" if self.is_watched else "the process is not watched"
        self.unseen: list[str] = [] if self.report else [f"findings: {why}"]

    def look(self) -> Picture:
        """Look once.

        :raises Refused: the process cannot be looked at, or has ended.
        """
        unseen = list(self.unseen)
        crash = self._asked(unseen) if self.recording else read(self.process)
        if not self.recording:
            unseen.append(NO_LOCKS)
        waits, circle = _native.waits(json.dumps(crash))
        ids = [thread["native_id"] for thread in crash["threads"]]
        threads = [self._thread(crash["threads"][at], waits[at], ids) for at in range(len(ids))]
        if not self.process.lives():
            raise Refused("the process has ended")
        return {
            "schema": 1,
            "pid": self.process.pid,
            "command": self.command,
            "at": time.time(),
            "watched": self.is_watched,
            "threads": sorted(threads, key=lambda thread: (thread["native_id"] != self.process.pid, thread["native_id"])),
            "circle": [ids[at] for at in circle],
            "locks": _locks(threads),
            "descriptors": _descriptors(self.process.pid),
            "findings": self._findings(),
            "unseen": unseen,
        }

    def _asked(self, unseen: list[str]) -> dict[str, Any]:
        """What the process says of itself."""
        try:
            crash: dict[str, Any] = json.loads(_native.ask_process(self.process.pid, self.recording))
        except (OSError, ValueError) as error:
            unseen.append(f"what the process says of itself: {error}")
            return read(self.process)
        return stacks.add_tasks(crash, self.process.pid)

    def _thread(self, thread: dict[str, Any], wait: tuple[str, int | None, str] | None, ids: list[int]) -> dict[str, Any]:
        name, state, used = _scheduled(self.process.pid, thread["native_id"])
        tasks = thread.get("tasks", [])
        frames = thread.get("python", [])
        return {
            "name": name,
            "native_id": thread["native_id"],
            "state": state,
            "cpu": used,
            "at": _own(frames),
            "loop": self._loop(thread, frames, tasks),
            "tasks": [{"name": task["name"], "at": _own(task["at"])} for task in tasks],
            "waits for": wait and wait[0],
            "held by": ids[wait[1]] if wait and wait[1] is not None else None,
            "held since": wait and _near(wait[2]),
            "holds": [held["source"] or f"{held['address']:#x}" for held in thread.get("holds", [])],
        }

    def _loop(self, thread: dict[str, Any], frames: list[dict[str, Any]], tasks: list[Any]) -> str | None:
        """What kind of loop a thread runs: its type, where that is known."""
        if name := thread.get("runs_loop"):
            return str(name)
        for frame in frames:
            for file, loop in LOOPS:
                if frame["file"].endswith(file):
                    return loop
        return "asyncio" if tasks else None

    def _findings(self) -> list[dict[str, Any]]:
        """What was found in this process so far."""
        if not self.report:
            return []
        try:
            found = json.loads(_native.read_report(self.report))["findings"]
        except OSError:
            return []
        return [
            {
                "rule": one["rule"],
                "name": one["name"],
                "severity": one["severity"],
                "title": one["title"],
                "count": one["count"],
                "at": _own(one["accesses"][0]["stack"]),
            }
            for one in found
            if self.process.pid in one.get("pids", [])
        ]


def read(process: Process) -> dict[str, Any]:
    """What the threads of a process do, from outside, as ``crash.json`` has it.

    :raises Refused: it cannot be looked at, or has ended.
    """
    problem = ""
    for _ in range(stacks.ATTEMPTS):
        try:
            return stacks.from_outside(process.pid)
        except PermissionError as error:
            raise Refused(why_not(error)) from None
        except Exception as error:  # it was read while it changed, or is of another kind
            problem = why_not(error)
    raise Refused(problem if process.lives() else "the process has ended")


def waits(process: Process) -> list[str]:
    """Which threads of a process that hangs wait for which, in lines; none if it cannot be looked at.

    The picture of a circle first, as ``ftsan triage`` has it.
    """
    try:
        crash = read(process)
    except Refused:
        return []
    lines: list[str] = json.loads(_native.triage(json.dumps(crash), True, "json"))["evidence"]
    return lines


def _words(pid: int, file: str) -> list[str]:
    try:
        return [os.fsdecode(word) for word in Path(f"/proc/{pid}/{file}").read_bytes().split(b"\0") if word]
    except OSError:
        return []


def _report_of(variables: dict[str, str], pid: int) -> str:
    """Where a process that was started by ``ftsan run`` reports to."""
    try:
        _, report, _ = _native.check_options(variables.get("FTSAN_OPTIONS", ""))
    except OSError, ValueError:
        return ""
    return report.replace("%p", str(pid)) if report else ""


def _scheduled(pid: int, thread: int) -> tuple[str, str, float]:
    """Name, state (``R``: runs or is ready to) and processor time in seconds of a thread, as the kernel has them."""
    name = stacks.thread_name(pid, thread)
    try:
        _, _, rest = Path(f"/proc/{pid}/task/{thread}/stat").read_text(errors="replace").rpartition(") ")
    except OSError:
        return name, "X", 0.0
    fields = rest.split()
    return name, fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _own(frames: list[dict[str, Any]]) -> str:
    """Where the program is: its innermost frame that is of no library, or the innermost of all."""
    own = [frame for frame in frames if "/lib/python3" not in frame["file"] and not frame["file"].startswith("<")]
    for frame in own[:1] or frames[:1]:
        return _near(f"{frame['file']}:{frame['line']} in {frame['function']}")
    return ""


def _near(place: str) -> str:
    """A place as it is called from the current folder."""
    return place.removeprefix(os.getcwd() + os.sep)


def _locks(threads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What threads wait for that another thread has."""
    locks: dict[tuple[int, str, str], list[int]] = {}
    for thread in threads:
        if thread["held by"] is not None:
            locks.setdefault((thread["held by"], thread["waits for"], thread["held since"]), []).append(thread["native_id"])
    return [{"what": what, "holder": holder, "since": since, "waiting": ids} for (holder, what, since), ids in locks.items()]


def _descriptors(pid: int) -> dict[str, int]:
    """How many descriptors of each kind there are."""
    kinds: Counter[str] = Counter()
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(link)
                kind = next((name or target[12:].rstrip("]") for head, name in DESCRIPTORS if target.startswith(head)), "other")
                kinds["terminal" if target.startswith(("/dev/pts", "/dev/tty")) else kind] += 1
    return dict(kinds.most_common())


def counted(number: int, noun: str) -> str:
    """ "1 thread", "2 threads"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def summary(picture: Picture) -> str:
    """What there is, in a line."""
    threads, descriptors = picture["threads"], picture["descriptors"]
    loops = [thread for thread in threads if thread["loop"]]
    tasks = sum(len(thread["tasks"]) for thread in threads)
    kinds = ", ".join(f"{number} {kind}" for kind, number in descriptors.items())
    parts = [
        counted(len(threads), "thread"),
        counted(len(loops), "loop"),
        counted(tasks, "task"),
        counted(sum(descriptors.values()), "descriptor") + (f" ({kinds})" if kinds else ""),
        counted(len(picture["findings"]), "finding"),
    ]
    return ", ".join(parts)


def names(picture: Picture) -> dict[int, str]:
    """Names of threads by their numbers: with the number if two have one name."""
    count = Counter(thread["name"] for thread in picture["threads"])
    return {
        thread["native_id"]: thread["name"] if count[thread["name"]] == 1 else f"{thread['name']} ({thread['native_id']})"
        for thread in picture["threads"]
    }


def thread_rows(picture: Picture) -> list[tuple[str, str, str, str, str]]:
    """Name, number, what it does, what it runs, where."""
    known = names(picture)
    rows = []
    for thread in picture["threads"]:
        does = "runs" if thread["state"] == "R" else "sleeps"
        if thread["waits for"] == IDLE:
            does = "idle"
        elif thread["waits for"]:
            does = f"waits for {thread['waits for']}"
            if thread["held by"] is not None and not thread["waits for"].startswith("the end of"):
                holder = "itself" if thread["held by"] == thread["native_id"] else known.get(thread["held by"], "?")
                does += f", which {holder} holds"
        loop = f"{thread['loop']}, {counted(len(thread['tasks']), 'task')}" if thread["loop"] else "-"
        rows.append((known[thread["native_id"]], str(thread["native_id"]), does, loop, thread["at"] or "-"))
    return rows


def lock_rows(picture: Picture) -> list[tuple[str, str, str, str]]:
    """What is waited for, which thread has it, since where, which threads wait."""
    known = names(picture)
    return [
        (
            lock["what"],
            known.get(lock["holder"], "?"),
            lock["since"] or "-",
            ", ".join(known.get(one, "?") for one in lock["waiting"]),
        )
        for lock in picture["locks"]
    ]


def task_rows(picture: Picture) -> list[tuple[str, str, str]]:
    """Thread, which tasks, where they are: those at one place together."""
    known = names(picture)
    rows = []
    for thread in picture["threads"]:
        places: dict[str, list[str]] = {}
        for task in thread["tasks"]:
            places.setdefault(task["at"] or "-", []).append(task["name"])
        for place, tasks in sorted(places.items(), key=lambda item: -len(item[1])):
            told = tasks[0] if len(tasks) == 1 else f"{len(tasks)}: {tasks[0]}, ..."
            rows.append((known[thread["native_id"]], told, place))
    return rows


def finding_rows(picture: Picture) -> list[tuple[str, str, str, str]]:
    """How bad, how often, where, what."""
    return [(one["severity"], f"{one['count']}x", one["at"] or "-", f"{one['rule']} {one['title']}") for one in picture["findings"]]


def circle(picture: Picture) -> str:
    """Which threads wait for each other, in a line; empty if none do."""
    known = names(picture)
    told = [f"thread '{known.get(one, '?')}'" for one in picture["circle"]]
    if len(told) == 1:
        return f"deadlock: {told[0]} waits for itself"
    return f"deadlock: {' and '.join(told)} wait for each other" if told else ""


#: Tables of a picture: heading, columns, rows.
TABLES = (
    ("threads", ("thread", "id", "does", "runs the loop", "at"), thread_rows),
    ("locks", ("waited for", "thread that has it", "since", "threads that wait"), lock_rows),
    ("tasks", ("thread", "task", "at"), task_rows),
    ("findings", ("severity", "count", "at", "finding"), finding_rows),
)


def text(picture: Picture, columns: int = 0) -> str:
    """A picture for a terminal of so many columns, or for a pipe (0)."""
    lines = [f"process {picture['pid']}: {' '.join(picture['command'])}", summary(picture)]
    if deadlock := circle(picture):
        lines += ["", deadlock]
    for heading, head, rows_of in TABLES:
        if rows := rows_of(picture):
            table = [head, *rows]
            widths = [max(len(row[at]) for row in table) for at in range(len(head))]
            lines += ["", heading.upper()]
            lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines += ["", *(f"not seen: {what}" for what in picture["unseen"])] if picture["unseen"] else []
    lines = [_native.printable(line) for line in lines]
    return "".join(f"{line[:columns] if columns else line}\n" for line in lines)
