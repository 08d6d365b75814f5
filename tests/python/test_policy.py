"""A project's own view of findings: baseline, suppressions, severities, and the fingerprints that all of it stands on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN, Ftsan, runner

RACE = """
import threading

class Counter:
    n = 0
    def bump(self, turn):
        turn.wait()
        self.n += 1

def first(counter, turn):
    counter.bump(turn)

def second(counter, turn):
    counter.bump(turn)

counter, turn = Counter(), threading.Barrier(2)
threads = [threading.Thread(target=first, args=(counter, turn)), threading.Thread(target=second, args=(counter, turn))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

FIXED = RACE.replace("n = 0\n", "n = 0\n    lock = threading.Lock()\n").replace(
    "        self.n += 1", "        with self.lock:\n            self.n += 1"
)

#: The race, and one that the baseline does not have.
WORSE = (
    RACE
    + """
seen = {}
def look(turn):
    turn.wait()
    seen["k"] = seen.get("k", 0) + 1
threads = [threading.Thread(target=look, args=(turn,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
)


def test_new_findings_fail_and_known_ones_do_not(ftsan: Ftsan, tmp_path: Path) -> None:
    (program := tmp_path / "app.py").write_text(RACE)
    written = ftsan("--write-baseline", "known.toml", program)
    assert (written.status, written.rules) == (0, ["FT401"])
    assert "wrote 1 finding to the baseline" in written.stderr
    known = ftsan("--baseline", "known.toml", program)
    assert (known.status, known.rules) == (0, [])
    assert [finding["accepted"]["by"] for finding in known.report["accepted"]] == ["baseline"]
    assert "WARNING" not in known.stderr and "ERROR" not in known.stderr
    program.write_text(WORSE)
    worse = ftsan("--baseline", "known.toml", program)
    assert (worse.status, len(worse.findings)) == (66, 1)
    assert "seen" in worse.findings[0]["title"]
    assert "1 known finding in the baseline" in worse.stderr


def test_what_is_gone_is_said_and_taken_out_when_asked_to(ftsan: Ftsan, tmp_path: Path) -> None:
    (program := tmp_path / "app.py").write_text(WORSE)
    baseline = tmp_path / "known.toml"
    ftsan("--write-baseline", baseline, program)
    both = baseline.read_text()
    assert both.count("[[known]]") == 2
    program.write_text(RACE)
    said = ftsan("--baseline", baseline, program)
    assert (said.status, baseline.read_text()) == (0, both)
    assert "gone from the baseline: FT401 at app.py: look (" in said.stderr
    assert f"--update-baseline takes 1 finding out of {baseline}" in said.stderr
    updated = ftsan("--baseline", baseline, "--update-baseline", program)
    assert (updated.status, baseline.read_text().count("[[known]]")) == (0, 1)
    program.write_text(WORSE)
    worse = ftsan("--baseline", baseline, "--update-baseline", program)
    assert (worse.status, baseline.read_text().count("[[known]]")) == (66, 1), "it can only shrink"
    program.write_text(FIXED + "\nraise SystemExit(3)\n")
    failed = ftsan("--baseline", baseline, "--update-baseline", program)
    assert (failed.status, baseline.read_text().count("[[known]]")) == (3, 1), "what a failed program did not come to is not gone"
    assert "stays as it is" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--baseline", "no.toml"], "ftsan: baseline: cannot read "),
        (["--update-baseline"], "ftsan: update_baseline: needs a baseline"),
        (["--config", "no.toml"], "ftsan: cannot read "),
        (["--baseline", "wrong.toml"], "ftsan: baseline: "),
    ],
)
def test_what_is_wrong_is_one_line(ftsan: Ftsan, tmp_path: Path, arguments: list[str], line: str) -> None:
    (tmp_path / "wrong.toml").write_text("[[knwon]]\n")
    run = ftsan(*arguments, "-c", "")
    assert (run.status, run.stderr.count("\n")) == (2, 1)
    assert run.stderr.startswith(line)


def configured(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text)


def test_a_project_configures_its_options_severities_and_suppressions(ftsan: Ftsan, tmp_path: Path) -> None:
    (program := tmp_path / "app.py").write_text(WORSE)
    configured(tmp_path, "[tool.ftsan]\nexit-code = 3\n")
    assert ftsan(program).status == 3
    assert ftsan("--exit-code", "4", program).status == 4, "the command line goes first"
    assert ftsan("--config", "none", program).status == 66
    policy = "[[tool.ftsan.policy]]\nrule = 'FT4*'\nfunction = '{}'\nseverity = '{}'\nreason = 'a sketch'\n"
    configured(tmp_path, policy.format("look", "off") + policy.format("*", "info"))
    run = ftsan(program)
    assert (run.status, [finding["severity"] for finding in run.findings]) == (0, ["info"])
    assert [finding["accepted"] for finding in run.report["accepted"]] == [{"by": "policy", "reason": "a sketch"}]
    configured(tmp_path, "[[tool.ftsan.suppress]]\nrule = 'FT401'\nobject = '*Counter'\nreason = 'counted roughly'\n")
    run = ftsan(program)
    assert (run.status, len(run.findings)) == (66, 1)
    assert [finding["accepted"]["reason"] for finding in run.report["accepted"]] == ["counted roughly"]
    configured(tmp_path, "[tool.ftsan]\nexit-cod = 3\n")
    run = ftsan(program)
    assert (run.status, run.stderr) == (2, f'ftsan: {tmp_path / "pyproject.toml"}: unknown option "exit_cod"\n')


def test_a_configuration_holds_for_the_folders_below_and_for_processes_without_a_launcher(tmp_path: Path) -> None:
    (below := tmp_path / "a" / "b").mkdir(parents=True)
    (program := below / "app.py").write_text(RACE)
    configured(tmp_path, "[tool.ftsan]\nexit-code = 3\nsuppressions = 'accepted.toml'\n")
    (tmp_path / "accepted.toml").write_text("")
    assert runner(below)(program).status == 3
    environment = PLAIN | {"FTSAN": "1", "FTSAN_OPTIONS": f"config={tmp_path / 'pyproject.toml'}"}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "FT401" in done.stderr) == (3, True)


def test_a_fingerprint_survives_moved_lines_and_other_names_of_threads_and_folders(ftsan: Ftsan, tmp_path: Path) -> None:
    def fingerprint(text: str, name: str = "app.py") -> str:
        (program := tmp_path / name).parent.mkdir(exist_ok=True)
        program.write_text(text)
        [finding] = ftsan(program).findings
        return str(finding["fingerprint"])

    original = fingerprint(RACE)
    assert fingerprint("# one\n# more\n" + RACE.replace("        turn.wait()", "\n        turn.wait()")) == original
    assert fingerprint(RACE.replace("turn))]", "turn), name='another')]")) == original
    assert fingerprint(RACE, "elsewhere/app.py") == original
    # Which of the two comes first is luck; the one that is started first is more often the first.
    assert fingerprint(RACE.replace("in threads:\n    thread.start", "in reversed(threads):\n    thread.start")) == original
    assert fingerprint(RACE.replace("bump", "jump")) != original


def test_pytest_takes_the_configuration_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "test_race.py").write_text("def test_race():\n" + "".join(f"    {line}\n" for line in RACE.splitlines()))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ftsan"]

    def status() -> int:
        return subprocess.run(command, env=PLAIN, cwd=tmp_path, capture_output=True, check=False).returncode

    configured(tmp_path, "[tool.ftsan]\n")
    assert status() == 1
    configured(tmp_path, "[[tool.ftsan.policy]]\nrule = 'FT4*'\nseverity = 'off'\nreason = 'a sketch'\n")
    assert status() == 0
    configured(tmp_path, "[tool.ftsan]\nrases = 'all'\n")
    assert status() == 4
