"""asyncpg against a real PostgreSQL: the misuse behind the write bus error, and correct use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Ftsan
from tests.interop.conftest import needs, passes_through

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _asyncpg() -> None:
    needs("asyncpg")


def test_a_connection_shared_by_two_loops_is_reported_with_the_users_lines(ftsan: Ftsan, postgresql: str) -> None:
    path = HERE / "asyncpg_shared_connection.py"
    run = ftsan(path, env={"DSN": postgresql})
    assert run.status == 66, run.stderr

    transports = [finding for finding in run.findings if finding["rule"] == "FT105"]
    assert transports, run.stderr
    offending, *others = transports[0]["accesses"]
    assert passes_through(offending, path, "offending")
    created = [access for access in others if access["role"] == "created"]
    assert created and passes_through(created[0], path, "created"), run.stderr


def test_correct_use_is_silent(ftsan: Ftsan, postgresql: str) -> None:
    run = ftsan(HERE / "asyncpg_correct.py", env={"DSN": postgresql})
    assert (run.status, run.stdout, run.stderr) == (0, "ok\n", "")
    assert run.findings == []
    assert run.report["watched"]["loops"] >= 5
