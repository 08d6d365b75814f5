"""The examples of Autobahn: 200 connections that open and close at once, on all that its loops and reactors wait by here."""

from __future__ import annotations

import pytest
from ftsan.env import is_free_threaded_build

from tests.conftest import ROOT, Ftsan
from tests.interop.conftest import needs, passes_through

FOLDER = ROOT / "examples" / "autobahn"
SAID = "200 clients, 133 echoes; 200 connections of a storm, 120 echoes\n"

#: The modes of the GIL that this interpreter has, as ``PYTHON_GIL`` says them.
GIL = ["0", "1"] if is_free_threaded_build() else ["1"]

MATRIX = [
    *(("asyncio", how, GIL[0]) for how in ("epoll", "poll", "select", "uvloop")),
    *(("twisted", how, GIL[0]) for how in ("epoll", "poll", "select", "asyncio")),
    *((framework, "epoll", gil) for gil in GIL[1:] for framework in ("asyncio", "twisted")),
]

#: Seconds for a run, which takes one or two: a busy machine lets each of the many threads that a connection wakes up wait.
PATIENCE = 300


@pytest.mark.parametrize(("framework", "how", "gil"), MATRIX)
def test_correct_use_is_silent_however_threads_are_held_up(framework: str, how: str, gil: str, ftsan: Ftsan) -> None:
    needs("autobahn", "twisted", "uvloop")
    seed = MATRIX.index((framework, how, gil))
    run = ftsan(f"--perturb={seed}", FOLDER / f"echo_{framework}.py", how, env={"PYTHON_GIL": gil}, timeout=PATIENCE)
    assert (run.status, run.stdout, run.findings) == (0, SAID, []), run.stderr
    assert run.report["gil"] == {"0": "disabled", "1": "enabled"}[gil]
    assert run.report["watched"]["perturbed"]["delays"] > 100


@pytest.mark.parametrize("gil", GIL)
@pytest.mark.parametrize("framework", ["asyncio", "twisted"])
def test_a_message_that_a_thread_sends_is_reported(framework: str, gil: str, ftsan: Ftsan) -> None:
    needs("autobahn", "twisted")
    path = FOLDER / f"echo_{framework}.py"
    run = ftsan(path, "epoll", "misuse", env={"PYTHON_GIL": gil}, timeout=PATIENCE)
    assert (run.status, run.stdout) == (66, SAID), run.stderr
    assert run.findings
    for finding in run.findings:
        assert passes_through(finding["accesses"][0], path, "misuse"), finding["title"]
