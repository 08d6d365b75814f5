"""No verdict depends on luck: programs whose verdicts once did, again and again, beside each other.  All of them: ``make soak``."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.soak import soak

ONCE_DIFFERENT = (
    "FT401/fires_pool_tasks",
    "FT403/fires_swapped_batch",
    "FT404/fires_write_and_delete",
    "FT406/fires_self_published_by_init",
)


def test_verdicts_do_not_change_on_a_busy_machine() -> None:
    assert soak([ROOT / "tests" / "programs" / f"{name}.py" for name in ONCE_DIFFERENT], runs=4, jobs=4) == 0
