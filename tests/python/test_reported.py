"""Bugs that people reported to other projects: each as a bad program, and with the remedy proposed there, which is silent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ftsan
from tests.interop.conftest import needs

PROGRAMS = sorted((ROOT / "tests" / "reported").glob("*.py"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_the_bug_is_reported_and_its_remedy_is_silent(path: Path, ftsan: Ftsan) -> None:
    text = path.read_text()
    if "tornado" in text:
        needs("tornado")
    expected = {(n, rule) for n, line in enumerate(text.splitlines(), 1) for rule in re.findall(r"# offending: (FT\d+)", line)}
    bad = ftsan(path, "bad")
    assert bad.status == 66, bad.stderr
    assert {(finding["accesses"][0]["stack"][0]["line"], finding["rule"]) for finding in bad.findings} >= expected
    assert {finding["rule"] for finding in bad.findings} == {rule for _, rule in expected}
    fixed = ftsan(path, "fixed")
    assert (fixed.status, fixed.findings) == (0, []), fixed.stderr


def test_there_are_ten_of_them() -> None:
    assert len(PROGRAMS) >= 10
