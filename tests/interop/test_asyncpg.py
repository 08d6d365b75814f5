"""asyncpg against a real PostgreSQL: the misuse behind the write bus error, a data race of its own, and correct use."""

from __future__ import annotations

import signal
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
    # Now and then it dies of what it does; the finding is in the report all the same.
    assert run.status in (66, 128 + signal.SIGSEGV), run.stderr

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


def test_the_counter_of_statement_names_is_reported(ftsan: Ftsan, postgresql: str) -> None:
    run = ftsan("--races", "asyncpg", HERE / "asyncpg_statement_names.py", "6", env={"DSN": postgresql})
    assert run.status == 66, run.stderr
    races = [finding for finding in run.findings if finding["severity"] != "info"]
    assert {finding["rule"] for finding in races} == {"FT401"}, run.stderr
    for finding in races:
        for access in finding["accesses"]:
            innermost = access["stack"][0]
            assert innermost["file"].endswith("asyncpg/connection.py")
            assert innermost["function"].endswith("_get_unique_id")


def test_the_counter_is_nobody_elses_business(ftsan: Ftsan, postgresql: str) -> None:
    run = ftsan("--races", "asyncpg", HERE / "asyncpg_statement_names.py", "1", env={"DSN": postgresql})
    assert (run.status, run.stdout, run.stderr) == (0, "ok\n", "")
    assert run.findings == []
