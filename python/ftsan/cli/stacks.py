"""What a core file or a living process shows: all stacks, by pystack or else gdb, joined with ftsan's recording if there is one.

Runs in the launcher or in ``ftsan triage``; imports what it likes.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .. import _native
from . import crash_folder

type Crash = dict[str, Any]

#: How often what changes while it is read is read again.
ATTEMPTS = 10

_INSTALL = "install pystack (pip install 'ftsan[core]') or gdb"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ELF, _ET_CORE = b"\x7fELF", 4


class Unreadable(Exception):
    """The stacks cannot be had; one line that says why."""


def is_core(path: Path) -> bool:
    """Whether a file is a core file, as the kernel writes it or, compressed, as systemd-coredump keeps it."""
    with open(path, "rb") as file:
        begin = file.read(18)
    return begin.startswith(_ZSTD) or (begin.startswith(_ELF) and begin[16] == _ET_CORE)


def of_core(path: Path) -> Crash:
    """What a core file shows, as ``crash.json`` has it.

    :raises Unreadable: nothing here can read it.
    """
    with _uncompressed(path) as core:
        found = _read("core", core, ["-c", core, *_executable(core)])
    for folder in sorted(crash_folder.default_folder().glob(f"*-{found.get('pid')}"), reverse=True):
        with contextlib.suppress(OSError, ValueError):
            kept = json.loads((folder / "crash.json").read_text())
            if kept.get("signal") == found.get("signal"):
                return _joined(kept, found)
    return found


def of_process(pid: int) -> Crash:
    """What a living process is doing, as ``crash.json`` has it.

    :raises Unreadable: nothing here can read it.
    """
    watched = _asked(pid)
    try:
        found = _read("process", str(pid), ["-p", str(pid)])
    except Unreadable:
        if watched is None:
            raise
        return add_tasks(watched, pid)
    found |= {"hang": True, "threads": [thread | {"crashed": False} for thread in found["threads"]]}
    return add_tasks(_joined(watched, found) if watched else add_locks(found, pid), pid)


def _asked(pid: int) -> Crash | None:
    """What the process says of itself, if ftsan watches it."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    for variable in variables:
        name, _, value = variable.partition(b"=")
        if name == b"FTSAN_RECORDING":
            with contextlib.suppress(OSError, ValueError):
                crash: Crash = json.loads(_native.ask_process(pid, f"{os.fsdecode(value)}.{pid}"))
                return crash
    return None


def from_outside(pid: int) -> Crash:
    """The Python stacks of all threads of a process, the locks that they wait for and hold, and their tasks.

    :raises Exception: it was read while it changed, is of another kind, or gone.
    """
    found = _python_stacks(pid)
    threads = [
        {"name": thread_name(pid, int(task.name)), "native_id": int(task.name), "python": found.get(int(task.name), [])}
        for task in Path(f"/proc/{pid}/task").glob("*")
    ]
    return add_tasks(add_locks({"pid": pid, "hang": True, "threads": threads}, pid), pid)


def thread_name(pid: int, thread: int) -> str:
    """The name of a thread, as the kernel has it."""
    if thread == pid:
        return "MainThread"
    try:
        return Path(f"/proc/{pid}/task/{thread}/comm").read_text(errors="replace").rstrip("\n")
    except OSError:
        return f"native {thread}"


def _python_stacks(pid: int) -> dict[int, list[dict[str, Any]]]:
    """The Python frames of all threads of a process, innermost first, by the kernel's ids."""
    from _remote_debugging import RemoteUnwinder  # type: ignore[import-not-found]

    found = RemoteUnwinder(pid, all_threads=True).get_stack_trace()
    # Since 3.15 by interpreter.
    threads = [thread for one in found for thread in getattr(one, "threads", [one])]
    return {
        thread.thread_id: [
            {"file": frame.filename, "line": _line(frame), "function": frame.funcname}
            for frame in thread.frame_info
            if not frame.filename.startswith("~")
        ]
        for thread in threads
    }


def _line(frame: Any) -> int:
    """The line of a frame: a number, since 3.15 a location."""
    if hasattr(frame, "location"):
        return frame.location.lineno if frame.location else 0
    return int(frame.lineno)


def add_locks(crash: Crash, pid: int) -> Crash:
    """Add the locks that the threads of a living process wait for and hold, read from outside."""
    try:
        waiting = json.loads(_native.waits_of(pid))
    except OSError:  # it is of another build, or gone
        return crash
    threads = {thread["native_id"]: thread for thread in crash["threads"]}
    for thread in waiting:
        if known := threads.get(thread["native_id"]):
            known |= {key: thread[key] for key in ("waits_for", "handle", "holds", "source")}
    return crash


def add_tasks(crash: Crash, pid: int) -> Crash:
    """Add the event loops of a living process and their tasks, read from outside."""
    threads = {thread["native_id"]: thread for thread in crash["threads"]}
    for _ in range(ATTEMPTS):
        try:
            loops = _native.loops_of(pid)
        except OSError:  # it has no loop, is of another build or gone, or that is changing
            continue
        for native_id, name, tasks in loops:
            if native_id in threads:
                threads[native_id] |= {"runs_loop": name, "tasks": json.loads(tasks)}
        return crash
    return _with_tasks_of_main_thread(crash, pid)


def _with_tasks_of_main_thread(crash: Crash, pid: int) -> Crash:
    """Add the tasks that the interpreter's own debugging interface shows, which knows other builds."""
    try:
        from _remote_debugging import RemoteUnwinder

        loops = RemoteUnwinder(pid).get_all_awaited_by()
    except Exception:  # not in every version and build, and the process may have no loop or be gone
        return crash
    threads = {thread["native_id"]: thread for thread in crash["threads"]}
    for loop in loops:
        tasks = [
            {
                "name": task.task_name,
                "at": [
                    {"file": frame.filename, "line": frame.lineno, "function": frame.funcname}
                    for coroutine in task.coroutine_stack
                    for frame in coroutine.call_stack
                ],
            }
            for task in loop.awaited_by
        ]
        if loop.thread_id in threads:
            threads[loop.thread_id]["tasks"] = tasks
    return crash


def _joined(recorded: Crash, found: Crash) -> Crash:
    """What was recorded, and of what was found the stacks that were not."""
    threads = {thread["native_id"]: thread for thread in recorded["threads"]}
    for thread in found["threads"]:
        known = threads.setdefault(thread["native_id"], thread)
        known["native"] = known.get("native") or thread["native"]
        known["python"] = known.get("python") or thread["python"]
    return recorded | {"threads": sorted(threads.values(), key=lambda thread: not thread.get("crashed"))}


def _read(kind: str, which: str, for_gdb: list[str]) -> Crash:
    if importlib.util.find_spec("pystack"):
        command = [sys.executable, "-W", "ignore", "-m", "ftsan.cli.pystack_reader", kind, which]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found: Crash = json.loads(done.stdout)
            return found
        problem = "pystack: " + (done.stderr.strip().splitlines() or ["it died"])[-1]
    else:
        problem = _INSTALL
    if shutil.which("gdb"):
        command = [
            "gdb",
            "-nx",
            "-batch",
            "-ex",
            "set pagination off",
            "-ex",
            "info threads",
            "-ex",
            "thread apply all bt",
            *for_gdb,
        ]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
        with contextlib.suppress(ValueError):
            found = json.loads(_native.read_dump(done.stdout))
            return found
    raise Unreadable(problem)


def _environment() -> dict[str, str]:
    """Ours, without what would have the reader watched."""
    unwanted = ("FTSAN", "FTSAN_OPTIONS", "FTSAN_RECORDING", "LD_PRELOAD")
    return {key: value for key, value in os.environ.items() if key not in unwanted} | {"PYTHON_GIL": "1"}


def _executable(core: str) -> list[str]:
    """gdb finds the executable of a core file if it is told."""
    done = subprocess.run(["file", "-b", core], capture_output=True, text=True, check=False) if shutil.which("file") else None
    path = done.stdout.partition("execfn: '")[2].partition("'")[0] if done else ""
    return [path] if os.path.exists(path) else []


@contextlib.contextmanager
def _uncompressed(path: Path) -> Any:
    with open(path, "rb") as file:
        if not file.read(4).startswith(_ZSTD):
            yield str(path)
            return
    try:
        from compression import zstd
    except ImportError as error:
        raise Unreadable("it is compressed, and this Python cannot uncompress zstd: unzstd it first") from error
    with tempfile.TemporaryDirectory() as folder:
        core = Path(folder, "core")
        with zstd.open(path) as source, open(core, "wb") as target:
            shutil.copyfileobj(source, target)
        yield str(core)
