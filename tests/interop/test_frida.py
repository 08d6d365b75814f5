"""``ftsan attach`` on a process that runs no Python code: frida brings a thread in, and the process is left as it was.

Needs a Python with frida (PyPI), which ``make .venv/tools`` puts beside that of the tests: there are no wheels for builds without
the GIL.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PLAIN
from tests.interop.conftest import missing
from tests.python.attaching import FTSAN, Start, attach, end_when_found, left_overs, pointers_into, programs, wait_until_attached
from tests.python.test_attach import DEADLOCK

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")

OURS = ("libftsan_hooks.so", "_native.")

#: The loop runs in a thread that waits for a line to be written; then there is misuse.
WAITS = """
import asyncio
def waits():
    os.read(begin, 1)
    async def main():
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.to_thread(loop.call_soon, int)  # misuse
    asyncio.run(main())
begin, end = os.pipe()
os.write(1, b"ready\\n")
os.dup2(end, {end})
waits()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with programs(tmp_path) as begin:
        yield begin


@pytest.fixture
def env() -> dict[str, str]:
    """With the Python that has frida first."""
    folder = Path(sys.prefix, "frida", "bin")
    if not (folder / "python3").exists():
        missing("frida (make .venv/tools)")
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def threads(pid: int) -> set[str]:
    return {task.name for task in Path(f"/proc/{pid}/task").iterdir()}


def test_the_circle_is_named_and_the_process_stays_as_it_was(start: Start, env: dict[str, str]) -> None:
    child = start(DEADLOCK)
    before = threads(child.pid)
    for _ in range(2):
        done = attach(child, "--for=0.1s", "--races=none", env=env)
        assert done.returncode == 0, done.stderr
        assert re.search(r"^ftsan: deadlock: thread .* and thread .* wait for each other$", done.stderr, re.M)
        assert re.search(r"waits for the lock b at .*: thread .* holds it, acquired at .* in two$", done.stderr, re.M)
        assert re.search(r"^ftsan: 0 findings; watched \d+ hooks", done.stderr, re.M), done.stderr
        assert (child.poll(), threads(child.pid)) == (None, before)
        assert pointers_into(child.pid, *OURS) == 0
        assert "frida" not in Path(f"/proc/{child.pid}/maps").read_text()
    assert child.poll() is None
    assert left_overs() == []


def test_what_it_does_as_it_goes_on_is_watched(start: Start, env: dict[str, str], tmp_path: Path) -> None:
    child = start(WAITS.format(end=97))
    report = tmp_path / "report.json"
    command = [*FTSAN, "attach", str(child.pid), "--for=1h", "--races=none", "--report-json", str(report)]
    with subprocess.Popen(command, env=PLAIN | env, stderr=subprocess.PIPE, text=True) as attached:
        wait_until_attached(attached, report)
        with open(f"/proc/{child.pid}/fd/97", "wb", buffering=0) as end:
            end.write(b"x")
        end_when_found(attached, "FT101")
    assert attached.returncode == 66
    [finding] = json.loads(report.read_text())["findings"]
    assert (finding["rule"], finding["accesses"][0]["operation"]) == ("FT101", "call_soon")
    assert pointers_into(child.pid, *OURS) == 0
    assert child.poll() is None
