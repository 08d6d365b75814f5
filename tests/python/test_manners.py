"""The manners of the command line: version, help, what may have been meant, widths, and a reader that has gone."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import os
import subprocess
import sys

import ftsan
import pytest
from ftsan import _native

from tests.conftest import PLAIN


def command(*words: str, **others: str) -> subprocess.CompletedProcess[str]:
    env = PLAIN | others
    return subprocess.run([sys.executable, "-m", "ftsan", *words], env=env, capture_output=True, text=True, check=False)


def test_the_version_is_the_same_wherever_it_is_asked() -> None:
    version = importlib.metadata.version("ftsan")
    assert version == ftsan.__version__ == _native.__version__
    assert command("--version").stdout == f"ftsan {version}\n"
    with pytest.raises(AttributeError, match="has no attribute 'version'"):
        _ = ftsan.version  # type: ignore[attr-defined]


def test_to_ask_for_the_package_loads_nothing() -> None:
    code = "import sys, ftsan; print('ftsan._native' in sys.modules, ftsan.__version__, 'ftsan._native' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=PLAIN, capture_output=True, text=True, check=True)
    assert done.stdout == f"False {ftsan.__version__} True\n"


def test_the_package_says_that_it_has_types() -> None:
    assert importlib.resources.files("ftsan").joinpath("py.typed").is_file()
    assert any(str(path) == "ftsan/py.typed" for path in importlib.metadata.files("ftsan") or [])


def test_help_is_a_command_as_well_as_an_option() -> None:
    assert command("help").stdout == command("--help").stdout
    for name in ("run", "explain", "triage"):
        shown = command("help", name)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout == command(name, "--help").stdout


def test_the_help_of_run_has_every_status() -> None:
    shown = " ".join(command("run", "--help").stdout.split())
    for status, when in _native.statuses():
        assert f"{status}: {when}" in shown


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["trage"], "'triage'"),
        (["help", "explian"], "'explain'"),
        (["run", "--reprot-json=x", "y.py"], "'--report-json'"),
        (["run", "--xyzzy", "x", "y.py"], None),
        (["audit", "--markdwon"], "'--markdown'"),
        (["explain", "lost-updat"], "lost-update"),
        (["explain", "ft4O1"], "FT401"),
        (["explain", "FT2"], "FT201 fd-closed-while-polled, FT202"),
        (["explain", "iteration"], "FT403 iteration-race?"),
        (["explain", "xyzzy"], None),
    ],
)
def test_what_may_have_been_meant_is_said_in_the_one_line(words: list[str], meant: str | None) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words[-1].partition("=")[0] in done.stderr or words[0] == "run"
    if meant is None:
        assert "did you mean" not in done.stderr and "exists" not in done.stderr
    else:
        assert meant in done.stderr


def test_an_option_of_the_environment_that_may_have_been_meant() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ""],
        env=PLAIN | {"FTSAN": "1", "FTSAN_OPTIONS": "racse=all"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'unknown option "racse"; did you mean races' in done.stderr


def test_explain_without_a_rule_lists_them_each_in_a_line() -> None:
    listed = command("explain", COLUMNS="80")
    assert listed.returncode == 0
    lines = listed.stdout.splitlines()
    rules = _native.rules_table()
    assert [line.partition(":")[0] for line in lines[: len(rules)]] == [f"{id_} {name}" for id_, name, _ in rules]
    assert all(len(line) <= 80 for line in lines)
    assert all(line.partition(":")[2] for line in lines[: len(rules)])


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_pages_are_as_wide_as_the_terminal_but_for_code(columns: int) -> None:
    shown = command("explain", "all", COLUMNS=str(columns)).stdout
    prose = [line for line in shown.splitlines() if not line.startswith((" ", "|"))]
    assert max(map(len, prose)) in range(columns - 8, columns + 1)
    pages = "".join(page for _, _, page in _native.rules_table())
    assert shown.split() == pages.split()
    code = [line for line in pages.splitlines() if line.startswith("    ")]
    assert [line for line in shown.splitlines() if line.startswith("    ")] == code


def test_help_is_as_wide_as_the_terminal() -> None:
    assert max(map(len, command("run", "--help", COLUMNS="80").stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    "words", [["explain", "all"], ["explain"], ["--help"], ["help", "run"], ["doctor"], ["env"], ["audit"], ["issue"]]
)
def test_a_reader_that_has_gone_gets_no_traceback(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "ftsan", *words], env=PLAIN, stdout=gone, stderr=subprocess.PIPE, text=True, check=False
        )
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
    assert done.returncode in (0, 66, 67), done.stderr
