"""The manners of the command line: version, help, what may have been meant, widths, and a reader that has gone."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import importlib.resources
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

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


COMPLETE = """
source <("$0" -m ftsan completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_ftsan ftsan "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["tri"], ["triage"]),
        (["run", "--report-j"], ["--report-json", "--report-junit"]),
        (["run", "--on-finding", ""], ["log", "raise", "abort"]),
        (["explain", "FT60"], ["FT601", "FT602", "FT603", "FT604"]),
        (["report", "r.json", "--to", "s"], ["sarif"]),
        (["run", "--strict", "--conf"], ["--config", "--confirm"]),
    ],
)
def test_bash_completes_commands_options_and_what_they_take(words: list[str], completed: list[str]) -> None:
    command_line = ["bash", "-c", COMPLETE, sys.executable, "ftsan", *words]
    done = subprocess.run(command_line, env=PLAIN, capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (completed, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_every_option(shell: str) -> None:
    script = command("completion", shell)
    assert (script.returncode, script.stderr) == (0, "")
    names = [key.replace("_", "-") for key, _, _, _, public in _native.options() if public]
    assert [name for name in names if name not in script.stdout] == []
    if shutil.which(shell):
        parsed = subprocess.run([shell, "-n"], input=script.stdout, capture_output=True, text=True, check=False)
        assert (parsed.returncode, parsed.stderr) == (0, "")
    assert command("completion", "tcsh").returncode == 2


def on_a_terminal(words: list[str], columns: int, folder: Path) -> str:
    """What a command prints on a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = PLAIN | {"TERM": "xterm-256color"}
    with subprocess.Popen(words, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(ours, 65536):
                text += part
    os.close(ours)
    return text.decode()


@pytest.mark.parametrize(("columns", "is_beside"), [(119, False), (120, True), (200, True)])
def test_both_sides_stand_beside_each_other_on_a_wide_terminal(race: Path, tmp_path: Path, columns: int, is_beside: bool) -> None:
    text = on_a_terminal([sys.executable, "-m", "ftsan", "run", str(race)], columns, tmp_path)
    lines = re.sub(r"\x1b\[[\d;]*m", "", text).replace("\r", "").splitlines()
    beside = [line for line in lines if re.search(r"^  update of .* {2,}earlier update of ", line)]
    assert len(beside) == is_beside, text
    # Lines that the program itself has no part in may be longer.
    stacks = [line for line in lines if line.startswith("    ")]
    assert stacks and max(map(len, stacks)) < columns


def test_long_work_says_how_far_it_is_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "ftsan", "audit", "--no-import", "pytest", "pluggy"]
    shown = on_a_terminal(words, 80, tmp_path)
    assert "\r\x1b[Kftsan audit: 1 of 2: pluggy\r\x1b[Kftsan audit: 2 of 2: pytest\r\x1b[K" in shown
    narrow = on_a_terminal(words, 20, tmp_path)
    assert "\r\x1b[Kftsan audit: 1 of 2\r" in narrow
    assert subprocess.run(words, env=PLAIN, capture_output=True, text=True, check=False).stderr == ""
