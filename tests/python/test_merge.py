"""Many processes and many machines: what one finding seen by many becomes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import PLAIN, Ftsan


def merge(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ftsan", "merge", *map(str, arguments)]
    return subprocess.run(command, env=PLAIN, cwd=folder, capture_output=True, text=True, check=False)


def test_a_finding_names_the_processes_that_made_it(ftsan: Ftsan, tmp_path: Path, race: Path) -> None:
    (starter := tmp_path / "starter.py").write_text(
        f"import subprocess, sys\nfor _ in range(3): subprocess.run([sys.executable, {str(race)!r}])\n"
    )
    [finding] = ftsan(starter).findings
    # How often the update was seen to be lost in each of them is luck.
    assert finding["count"] >= len(finding["pids"]) == 3


def test_a_finding_names_the_tests_during_which_it_happened(ftsan: Ftsan, tmp_path: Path, race: Path) -> None:
    (test := tmp_path / "test_them.py").write_text(
        f"import pytest, subprocess, sys\n@pytest.mark.parametrize('n', [1, 2])\n"
        f"def test_it(n): subprocess.run([sys.executable, {str(race)!r}])\n"
    )
    report = ftsan("-m", "pytest", "-q", "-p", "no:cacheprovider", test).report
    [finding] = report["findings"]
    assert finding["tests"] == ["test_them.py::test_it[1]", "test_them.py::test_it[2]"]


def test_a_thousand_shards_are_merged_at_once(ftsan: Ftsan, tmp_path: Path, race: Path) -> None:
    report = ftsan(race).report
    finding = report["findings"][0] | {"count": 1}
    finding["locations"] = [finding["locations"][0] | {"count": 1}]

    def other(fingerprint: str) -> dict[str, Any]:
        location = finding["locations"][0] | {"fingerprint": fingerprint}
        return finding | {"fingerprint": fingerprint, "locations": [location]}

    others = [other(f"{number:016x}") for number in range(20)]
    for number in range(1000):
        shard = [finding | {"pids": [number], "tests": [f"test_{number % 7}"]}, *others]
        (tmp_path / f"{number}.json").write_text(json.dumps(report | {"findings": shard}))
    shards = [f"{number}.json" for number in range(1000)]
    whole = (tmp_path / "500.json").read_text()
    (tmp_path / "500.json").write_text(whole[: len(whole) // 2])
    done = merge(tmp_path, *shards, "-o", "all.json")
    assert done.returncode == 67
    left_out, merged = done.stderr.splitlines()
    assert left_out.startswith("ftsan: left out 500.json: ")
    assert merged == "ftsan: merged 999 reports into all.json"
    result = json.loads((tmp_path / "all.json").read_text())
    assert len(result["findings"]) == 21
    assert result["findings"][0]["count"] == 999
    assert result["findings"][0]["pids"] == [number for number in range(1000) if number != 500]
    assert result["findings"][0]["tests"] == [f"test_{number}" for number in range(7)]
    assert result["watched"]["processes"] == 999
    again = merge(tmp_path, "0.json", "1.json", "-o", "all.json")
    assert (again.returncode, again.stderr) == (0, "ftsan: merged 2 reports into all.json\n")


def test_what_is_no_report_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import sys\n")
    done = merge(tmp_path, "no.json", "-o", "app.py")
    assert (done.returncode, (tmp_path / "app.py").read_text()) == (2, "import sys\n")
    done = merge(tmp_path, "no.json", "-o", "all.json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "all.json").exists()
