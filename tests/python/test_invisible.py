"""A program whose code is patched sees what it would see without: it prints the same (``tests/invisible/``).

A line ``OFF:`` in its docstring has what the run says that it does not watch.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN, ROOT, Ftsan

PROGRAMS = sorted((ROOT / "tests" / "invisible").glob("*.py"))
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONFAULTHANDLER": "1"}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_sees_no_difference(program: Path, ftsan: Ftsan) -> None:
    command = [sys.executable, str(program)]
    plain = subprocess.run(command, env=PLAIN | ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert plain.stderr == ""
    watched = ftsan(program, env=ENVIRONMENT, timeout=120)
    assert "__main__ (races)" in watched.report["watched"]["packages"]
    off = re.findall("^OFF: (.*)", program.read_text(), re.MULTILINE)
    assert watched.report["watched"]["off"] == off
    assert without_addresses(watched.stdout) == without_addresses(plain.stdout)
    assert watched.status == (67 if off else plain.returncode)
    own = [line for line in watched.stderr.splitlines() if off and line.startswith("ftsan: ")]
    assert watched.stderr.splitlines() == own
    assert [line for line in own if "not watched" in line] == [f"ftsan: not watched: {reason}" for reason in off]


def without_addresses(text: str) -> list[str]:
    """The lines of an output."""
    return re.sub("0x[0-9a-f]{8,}", "0x", text).splitlines()
