"""The live stack behind a bus error that asyncpg was blamed for: dramatiq's AsyncIO middleware, SQLAlchemy, asyncpg, PostgreSQL.

With the wheel of greenlet 3.3.1, which was built against an earlier 3.14 and its private thread state, it dies on 3.14.7t; with the
version that is installed here it runs through.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN, WITHOUT_GIL, Ftsan, needs_free_threading
from tests.interop.conftest import needs
from tests.python.test_matrix import installed

STACK = "sqlalchemy==2.0.46 asyncpg==0.31.0"
PROGRAM = Path(__file__).with_name("dramatiq_stub_broker.py")


@needs_free_threading
@pytest.mark.skipif(sys.version_info >= (3, 15), reason="there is no such wheel: 3.3.1 is built from source, and fits")
def test_the_crash_is_blamed_on_greenlet(ftsan: Ftsan, postgresql: str, tmp_path: Path) -> None:
    needs("sqlalchemy", "asyncpg", "dramatiq")
    folder = tmp_path / "crashes"
    env = {"DSN": postgresql, "PYTHONPATH": installed(f"greenlet==3.3.1 {STACK}")} | WITHOUT_GIL
    run = ftsan("--crash-dir", folder, PROGRAM, env=env, timeout=120)
    assert run.status > 128, run.stderr
    [kept] = folder.iterdir()
    command = [sys.executable, "-m", "ftsan", "triage", "--json", str(kept)]
    verdict = json.loads(subprocess.run(command, env=PLAIN, capture_output=True, text=True, check=True).stdout)
    assert (verdict["verdict"], verdict["culprit"]) == ("library-bug", "greenlet"), run.stderr
    assert "greenlet is 3.3.1" in " ".join(verdict["evidence"]) and "upgrade greenlet" in verdict["next_step"]
    assert PROGRAM.name not in " ".join(verdict["evidence"])


def test_with_the_right_wheel_it_runs_through_and_is_silent(ftsan: Ftsan, postgresql: str) -> None:
    needs("sqlalchemy", "asyncpg", "dramatiq", "greenlet")
    run = ftsan(PROGRAM, env={"DSN": postgresql, "PYTHONPATH": installed(STACK)} | WITHOUT_GIL, timeout=120)
    # dramatiq imports gevent, which declares nothing (FT602).
    assert (run.status, run.stdout, set(run.rules) - {"FT602"}) == (0, f"gil {not WITHOUT_GIL}\n", set()), run.stderr
