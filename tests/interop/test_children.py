"""Children of multiprocessing, however they are started: what their threads do is in one report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ftsan.process import HOOKS

from tests.interop.conftest import passes_through
from tests.python.host import watched

APPLICATION = Path(__file__).with_name("children_app.py")


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_what_children_do_is_named(method: str, tmp_path: Path) -> None:
    env = watched(f"report_json={tmp_path}/ftsan-%p.json", LD_PRELOAD=HOOKS)
    done = subprocess.run([sys.executable, APPLICATION, method], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (66, "[0, 0]\n"), done.stderr
    (report,) = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    found = {finding["rule"]: finding for finding in report["findings"]}
    assert set(found) == {"FT401", "FT101"} and report["watched"]["off"] == [], done.stderr
    for rule, mark in (("FT401", "lost"), ("FT101", "misuse")):
        finding = found[rule]
        assert passes_through(finding["accesses"][0], APPLICATION, mark)
        assert finding["accesses"][0]["thread"]["name"].startswith("worker-")
        assert len(finding["pids"]) == 2, finding["pids"]
