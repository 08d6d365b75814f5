"""Libraries beside asyncio: unknown versions are said, not guessed at; what is not imported is left alone."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from ftsan.watch import LIBRARIES, table_of

from tests.conftest import PLAIN, Ftsan
from tests.interop.conftest import needs


@pytest.fixture
def future_trio(tmp_path: Path) -> dict[str, str]:
    """An environment with a trio of a version that nobody has seen."""
    (tmp_path / "trio").mkdir()
    (tmp_path / "trio" / "__init__.py").write_text("")
    information = tmp_path / "trio-9.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: trio\nVersion: 9.1.0\n")
    return {"PYTHONPATH": str(tmp_path)}


def test_a_version_that_is_not_known_is_not_watched_and_said_so(ftsan: Ftsan, future_trio: dict[str, str]) -> None:
    run = ftsan("-c", "import trio", env=future_trio)
    assert run.status == 67
    (reason,) = run.report["watched"]["off"]
    assert reason.startswith("trio 9.1.0: not watched; known are ")
    assert reason in run.stderr


def test_doctor_lists_a_version_that_is_not_known(future_trio: dict[str, str]) -> None:
    command = [sys.executable, "-m", "ftsan", "doctor"]
    done = subprocess.run(command, env=PLAIN | future_trio, capture_output=True, text=True, check=False)
    assert done.returncode == 67
    assert "OFF: trio 9.1.0: version not known" in done.stdout
    assert "FT306 trio-anyio-off-thread: caught" in done.stdout  # by anyio


def test_no_library_is_imported_for_our_sake(ftsan: Ftsan) -> None:
    script = f"import asyncio, sys; print([name for name in {LIBRARIES!r} if name in sys.modules])"
    assert ftsan("-c", script).stdout == "['asyncio', 'threading', 'select', 'selectors', 'ssl']\n"


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_know_the_versions_that_the_tests_run_with(library: str) -> None:
    needs(library)
    table = table_of(library)
    assert not table.DISTRIBUTION or version(table.DISTRIBUTION).startswith(table.VERSIONS)
