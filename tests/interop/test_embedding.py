"""A host in C that embeds Python: its threads are watched, and told by the names that the host gave them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from ftsan.process import HOOKS

from tests.conftest import needs_free_threading
from tests.interop.conftest import missing
from tests.python.host import shared_library, watched

HERE = Path(__file__).parent
APPLICATION = HERE / "embedded_app.py"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host, compiled against the shared library of this Python."""
    compiler = shutil.which("cc")
    library = shared_library()
    if compiler is None:
        missing("a C compiler")
    if library is None:
        missing("a shared library of this Python (tools/find-python builds one)")
    path = tmp_path_factory.mktemp("host") / "host"
    words = ["-Wall", "-Werror", f"-I{sysconfig.get_paths()['include']}", f"-Wl,-rpath,{library.parent}"]
    subprocess.run([compiler, *words, "-o", path, HERE / "embedding_host.c", library], check=True)
    return path


@pytest.mark.parametrize("gil", [pytest.param("0", marks=needs_free_threading), "1"])
@pytest.mark.parametrize("is_preloaded", [True, False])
def test_what_a_hosts_threads_do_is_named(gil: str, is_preloaded: bool, host: Path, tmp_path: Path) -> None:
    report = tmp_path / "ftsan-%p.json"
    env = watched(f"report_json={report}", PYTHON_GIL=gil, **({"LD_PRELOAD": HOOKS} if is_preloaded else {}))
    done = subprocess.run([host, sys.executable, APPLICATION], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 66, done.stderr
    (written,) = tmp_path.glob("*.json")
    report_of_host = json.loads(written.read_text())
    lines = APPLICATION.read_text().splitlines()
    found = {
        (finding["rule"], lines[finding["accesses"][0]["stack"][0]["line"] - 1].rpartition("# ")[2]): finding
        for finding in report_of_host["findings"]
    }
    assert set(found) == {("FT401", "lost"), ("FT101", "misuse")}, done.stderr
    assert report_of_host["watched"]["off"] == []
    assert report_of_host["gil"] == {"0": "disabled", "1": "enabled"}[gil]
    names = {access["thread"]["name"] for access in found["FT401", "lost"]["accesses"]}
    assert len(names) == 2 and names <= {f"host-{number}" for number in range(4)}
    assert found["FT101", "misuse"]["accesses"][0]["thread"]["name"].startswith("host-")


def test_a_hosts_threads_are_held_up_as_well(host: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    env = watched(f"report_json={report}:perturb=3", LD_PRELOAD=HOOKS)
    done = subprocess.run([host, sys.executable, APPLICATION], env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 66, done.stderr
    assert json.loads(report.read_text())["watched"]["perturbed"]["delays"] > 100
