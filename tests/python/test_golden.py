"""The whole report of one program of each family: what changes in it is seen in a review, and blessed (``make bless``)."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest
from ftsan import _native

from tests import golden

#: The end of a race's title where ``PYTHON_GIL`` has switched the GIL on.
OF_THE_GIL = "; with the GIL, which is on here, it does harm less often than without"


def test_there_is_one_of_each_family() -> None:
    found = {path.read_text().partition('"rule": "FT')[2][0] for path in golden.FOLDER.glob("*.json")}
    assert found == {id_[2] for id_, _, _ in _native.rules_table()}


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 14) or not sysconfig.get_config_var("Py_GIL_DISABLED"),
    reason="the frames of the standard library are those of 3.14t",
)
@pytest.mark.parametrize("program", golden.PROGRAMS, ids=lambda path: path.stem)
def test_a_report_is_as_it_was_blessed(tmp_path: Path, program: Path) -> None:
    for report, suffix in zip(golden.reports(program, tmp_path), (".txt", ".json"), strict=True):
        assert (report.replace(OF_THE_GIL, "") if sys._is_gil_enabled() else report) == program.with_suffix(suffix).read_text()
