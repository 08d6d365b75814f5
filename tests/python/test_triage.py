"""``ftsan triage`` as a user calls it; what it concludes is tested in ``tests/triage.rs``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CRASHES = ROOT / "tests" / "crashes"
RECORDED = ROOT / "tests" / "fuzz" / "seeds" / "crash_json" / "two_writers.json"
KEYS = ["confidence", "culprit", "evidence", "known_issue", "next_step", "schema", "signature", "verdict"]


def triage(*words: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ftsan", "triage", *map(str, words)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)


def test_a_dump_gives_the_verdict_and_where_to_go_on() -> None:
    run = triage(CRASHES / "multidict_update.txt")
    assert run.returncode == 0, run.stderr
    assert "CRASH: ftsan: library-bug (medium confidence), SIGSEGV" in run.stdout
    assert run.stdout.splitlines()[-1].startswith("Markdown for an upstream issue: ftsan triage --markdown ")


def test_json_is_the_contract() -> None:
    verdict = json.loads(triage("--json", CRASHES / "uvloop_timer_from_thread.txt").stdout)
    assert sorted(verdict) == KEYS
    assert (verdict["schema"], verdict["verdict"], verdict["culprit"]) == (1, "cross-thread-misuse", None)


def test_standard_input_is_read() -> None:
    run = triage("-", "--json", text=(CRASHES / "generator_frame_unlinked.txt").read_text())
    assert json.loads(run.stdout)["known_issue"] == "gh-120321"


def test_a_crash_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "crash.json").write_text(RECORDED.read_text())
    verdict = json.loads(triage(tmp_path, "--json").stdout)
    assert verdict["verdict"] == "cross-thread-misuse"
    assert any("heartbeat" in line for line in verdict["evidence"])
    markdown = triage(tmp_path, "--markdown").stdout
    for part in (
        "`3.14.7 free-threading build`",
        "cp314-cp314t-manylinux_2_28_x86_64",
        "| yes |",
        "`python -m app`",
        "thread 'heartbeat'",
    ):
        assert part in markdown


@pytest.mark.parametrize("name", [path.name for path in sorted(CRASHES.glob("*.txt"))])
def test_every_dump_can_be_an_issue(name: str) -> None:
    run = triage(CRASHES / name, "--markdown")
    assert run.returncode == 0
    assert run.stdout.startswith("## Crash\n")
    assert run.stdout.count("```") % 2 == 0


def test_what_cannot_be_triaged_is_said_in_one_line(tmp_path: Path) -> None:
    empty, log, broken = tmp_path / "empty.txt", tmp_path / "app.log", tmp_path / "broken"
    empty.touch()
    log.write_text("INFO all is well\n")
    broken.mkdir()
    for source, said in [
        (tmp_path / "nowhere.txt", "No such file"),
        (empty, "it is empty"),
        (log, "no crash dump found"),
        (tmp_path, "no crash.json in it"),
        (broken, "no crash.json in it"),
    ]:
        run = triage(source)
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr.count("\n") == 1
        assert said in run.stderr
    (broken / "crash.json").write_text('{"signal": 1')
    run = triage(broken)
    assert run.returncode == 2
    assert "not a crash as ftsan writes it" in run.stderr
    assert triage(log, "--json", "--markdown").returncode == 2
    assert triage().returncode == 2


def test_bytes_that_are_no_text_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "dump.txt"
    path.write_bytes(b"\xff\xfe\x00" + (CRASHES / "double_free.txt").read_bytes() + b"\x80")
    assert triage(path).returncode == 0


def test_crashes_are_grouped_by_signature(tmp_path: Path) -> None:
    folder = tmp_path / "crashes"
    (folder / "20260203-040506-7").mkdir(parents=True)
    (folder / "20260203-040506-7" / "crash.json").write_text(RECORDED.read_text())
    for name in ("a.log", "b.log"):
        (folder / name).write_text((CRASHES / "multidict_update.txt").read_text())
    (folder / "c.log").write_text("INFO all is well\n")
    run = triage("--group", folder)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("3 crashes, 2 groups\n")
    assert "no crash dump in 1 of 4 files" in run.stderr
    groups = json.loads(triage("--group", "--json", folder / "a.log", folder / "b.log", CRASHES / "os_abort.txt").stdout)
    assert (groups["schema"], groups["crashes"]) == (1, 3)
    assert [group["count"] for group in groups["groups"]] == [2, 1]
    assert groups["groups"][0]["verdict"]["culprit"] == "multidict"
    nothing = triage("--group", folder / "c.log")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert triage(folder / "a.log", folder / "b.log").returncode == 2


def test_several_crashes_of_one_text_are_triaged_each() -> None:
    text = "".join((CRASHES / f"{name}.txt").read_text() for name in ("multidict_update", "os_abort", "os_abort"))
    verdict = json.loads(triage("-", "--json", text=text).stdout)
    assert sorted(verdict) == sorted([*KEYS, "others"])
    assert (verdict["culprit"], len(verdict["others"])) == ("multidict", 1)
    shown = triage("-", text=text).stdout
    assert shown.startswith("3 crashes in this text, 2 of them different\n")
    assert "SIGABRT, 2 times in this text" in shown


def test_what_powershell_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.txt"
    path.write_bytes((CRASHES / "multidict_update.txt").read_text().encode("utf-16"))
    assert json.loads(triage("--json", path).stdout)["culprit"] == "multidict"
