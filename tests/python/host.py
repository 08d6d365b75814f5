"""Common parts of the tests of the program's surroundings: a race, and processes run plainly, launched or watched by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN

RACE = """
import threading
class S: pass
s = S(); s.hits = 0
b = threading.Barrier(2)
def w():
    b.wait()
    for _ in range(100): s.hits += 1
ts = [threading.Thread(target=w) for _ in range(2)]
[t.start() for t in ts]; [t.join() for t in ts]
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def shared_library() -> Path | None:
    """That of this Python, if it is built with one."""
    library = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LDLIBRARY"))
    return library if library.suffix == ".so" and library.exists() else None


def watched(options: str = "", **environment: str) -> dict[str, str]:
    """The environment of a process that is watched without a launcher."""
    return PLAIN | {"FTSAN": "1", "FTSAN_OPTIONS": options} | environment


def run(*command: str | bytes | Path, env: dict[str, str] = PLAIN, **others: Any) -> subprocess.CompletedProcess[Any]:
    others = {"capture_output": True, "text": True, "timeout": 60, "check": False} | others
    return subprocess.run(list(command), env=env, **others)


def ftsan_run(*words: str | bytes | Path, **others: Any) -> subprocess.CompletedProcess[Any]:
    return run(sys.executable, "-m", "ftsan", "run", *words, **others)
