"""Common parts of the tests of ``ftsan attach``: programs that run already, and what is to be seen of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ftsan import _native

from tests.conftest import PLAIN

FTSAN = [sys.executable, "-m", "ftsan"]

#: With the interpreter alone: ftsan is installed in the environment of the tests, and not for this.
BARE = [str(Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}{sys.abiflags}"))]

#: The beginning of every program here: it says what it is like when it is asked to by a line.
BEGIN = """
import asyncio, os, sys, threading, time

def word(address):
    import ctypes
    return ctypes.c_size_t.from_address(address).value

def look():
    head = object.__basicsize__
    while sys.stdin.readline():
        from asyncio import base_events, events, locks
        import _asyncio
        loop = base_events.BaseEventLoop
        functions = [loop.call_soon, loop.create_task, loop.is_closed, locks.Lock.acquire, events.Handle.cancel]
        codes = [[id(function.__code__), function.__code__.co_code.hex()] for function in functions]
        # PyMethodDescrObject.d_method, PyCFunctionObject.m_ml and their ml_meth; PyWrapperDescrObject.d_wrapped
        pointers = [
            word(word(id(vars(_asyncio.Future)["set_result"]) + head + 24) + 8),
            word(word(id(_asyncio._set_running_loop) + head) + 8),
            word(id(vars(_asyncio.Task)["__init__"]) + head + 32),
        ]
        print(json.dumps({
            "pointers": pointers, "codes": codes, "finders": len(sys.meta_path), "descriptors": sorted(os.listdir("/proc/self/fd")),
            "threads": threading.active_count(), "kilobytes": int(open("/proc/self/statm").read().split()[1]) * 4,
        }), flush=True)

import json
threading.Thread(target=look, name="look", daemon=True).start()
"""

#: A loop in the main thread, and a thread that uses it rightly or not.
SERVING = """
async def main():
    loop = asyncio.get_running_loop()
    def other():
        while True:
            if {misuse}:
                loop.call_soon(int)  # misuse
            loop.call_soon_threadsafe(int)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
            time.sleep(0.001)
    threading.Thread(target=other, name="other", daemon=True).start()
    print("ready", flush=True)
    while True:
        await asyncio.sleep(0.001)
asyncio.run(main())
"""

Start = Callable[..., subprocess.Popen[str]]


@contextmanager
def programs(tmp_path: Path) -> Iterator[Start]:
    """Starts programs, each of which says that it is ready, and ends them."""
    started = []

    def begin(
        program: str, *options: str, env: dict[str, str] | None = None, interpreter: list[str] = BARE
    ) -> subprocess.Popen[str]:
        path = tmp_path / f"program{len(started)}.py"
        path.write_text(BEGIN + textwrap.dedent(program))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        child = subprocess.Popen([*interpreter, *options, path], text=True, env=PLAIN | (env or {}), **pipes)
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield begin
    for child in started:
        child.kill()
        child.communicate()


def attach(child: subprocess.Popen[str], *options: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Attach to a process."""
    command = [*FTSAN, "attach", str(child.pid), *options]
    return subprocess.run(command, env=PLAIN | (env or {}), capture_output=True, text=True, timeout=60, check=False)


def look(child: subprocess.Popen[str]) -> dict[str, object]:
    """What the process is like now."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    looked: dict[str, object] = json.loads(child.stdout.readline())
    return looked


def without_size(looked: dict[str, object]) -> dict[str, object]:
    """All of it but the memory."""
    return {key: value for key, value in looked.items() if key != "kilobytes"}


def pointers_into(pid: int, *libraries: str) -> int:
    """How many words of what else is loaded, of its tables and static types, are addresses of functions of these libraries."""
    maps = [line.split(maxsplit=5) for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    ranges = [
        (*(int(number, 16) for number in words[0].split("-")), words[1], Path(words[-1]).name) for words in maps if len(words) == 6
    ]
    code = [(begin, end) for begin, end, access, name in ranges if "x" in access and name.startswith(libraries)]
    count = 0
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for begin, end, access, name in ranges:
            if "x" not in access and not name.startswith((*libraries, "[")):
                memory.seek(begin)
                words_there = array("Q", memory.read(end - begin))
                count += sum(first <= word < last for word in words_there if word > 1 << 32 for first, last in code)
    return count


def left_overs() -> list[str]:
    """Folders of runs that nobody has removed, of processes that live."""
    folders = [name for name in os.listdir("/tmp") if name.startswith("ftsan-run.")]
    return [name for name in folders if not Path(f"/proc/{name.split('.')[2]}").exists()]


def wait_until_attached(attached: subprocess.Popen[str], report: Path) -> None:
    """Wait until a running ``ftsan attach`` watches its process."""
    while not report.exists() or not json.loads(_native.read_report(str(report)))["watched"]["processes"]:
        assert attached.stderr is not None
        assert attached.poll() is None, attached.stderr.read()


def end_when_found(attached: subprocess.Popen[str], rule: str) -> None:
    """Interrupt a running ``ftsan attach`` as soon as it has told a finding of this rule, and wait for its end."""
    assert attached.stderr is not None
    for line in attached.stderr:
        if f"Help: ftsan explain {rule}" in line:
            break
    attached.send_signal(signal.SIGINT)
    attached.communicate(timeout=60)
