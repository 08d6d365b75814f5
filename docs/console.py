"""Commands in pages, as they are run: by the tests, which compare what they print, and by ``make bless``, which writes it down.

A fence ```` ```python title="NAME" ```` (of whatever language) is a file; each ``$ command`` of a fence ```` ```console ```` is run
in the folder of the files of its page, and what it prints to either stream must be what stands below it.  A line ``...`` stands for
any lines; numbers that differ from run to run are replaced by those of an example.  ``<!-- after PAGE -->``: the files of another
page are there, as they are first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = Path(__file__).with_name("pages")
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "..."


@dataclass
class Command:
    """A command of a page, and what it must print."""

    line: str
    expected: str


@dataclass
class Session:
    """The folder of a page, in which its commands are run one after the other."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    status: int = 0

    def __post_init__(self) -> None:
        """Make the folder ready, and the environment."""
        for name in ("examples", "tests/crashes"):
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).symlink_to(ROOT / name)
        # pytest cuts no lines in CI.
        others = ("CI", "FTSAN", "PYTEST", "XDG_STATE")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        self.env = (
            plain
            | {
                "PATH": f"{Path(sys.executable).parent}:{plain['PATH']}",
                "COLUMNS": "80",
                "TERM": "dumb",
                "PYTHONDONTWRITEBYTECODE": "1",
                # Plug-ins that the tests of ftsan need say something of their own.
                "PYTEST_ADDOPTS": "-p no:asyncio -p no:cacheprovider",
                "XDG_STATE_HOME": str(self.folder / ".state"),
            }
            | self.env
        )

    def run(self, line: str) -> str:
        """What a command prints; ``$?`` is the status of the one before."""
        script = f"(exit {self.status}); {line}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        self.status = done.returncode
        return exemplary(done.stdout, self.folder)


def exemplary(output: str, folder: Path) -> str:
    """An output with the numbers of an example, and without what differs from machine to machine."""
    output = output.replace(f"{folder}/", "").replace(str(ROOT) + "/", "")
    output = re.sub(r"\bpid \d+", "pid 4711", output)
    output = re.sub(r"\bprocess \d+", "process 4711", output)
    output = re.sub(r"0x[0-9a-f]{6,}", "0x3168f3d0010", output)
    output = re.sub(r"\bin \d+\.\d+s\b", "in 0.10s", output)
    output = re.sub(r"watched \d+ hooks, \d+ checks", "watched 601 hooks, 316 checks", output)
    output = re.sub(r"\.\.\. \d+ frames of _pytest", "... 15 frames of _pytest", output)
    # Whether an update was lost before our eyes is luck.
    output = re.sub(r", witnessed$", "", output, flags=re.MULTILINE)
    # Threads are alike: which one comes first is luck.
    output = _renumbered(r"native id (\d+)", "native id ", output, 4712)
    return _renumbered(r"Thread-(\d+)", "Thread-", output, 1)


def _renumbered(pattern: str, prefix: str, output: str, first: int) -> str:
    seen: dict[str, int] = {}
    return re.sub(pattern, lambda match: f"{prefix}{seen.setdefault(match[1], first + len(seen))}", output)


def fits(actual: str, expected: str) -> bool:
    """Whether an output is what a page says."""
    parts = [r"(?:.*\n)*?" if line.strip() == ANYTHING else re.escape(line) + "\n" for line in expected.splitlines()]
    return re.fullmatch("".join(parts), actual) is not None


def commands(block: str) -> list[Command]:
    """The commands of a fence; one ends with a backslash where it goes on."""
    begun = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert not begun[0], f"what comes before the first command: {begun[0]}"
    found = []
    for text in begun[1:]:
        line = re.match(r"(?:.*\\\n)*.*\n", text)
        assert line, text
        found.append(Command(line[0].rstrip("\n"), text[line.end() :]))
    return found


def write(session: Session, name: str, text: str) -> None:
    """A file of a page."""
    path = session.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def steps(page: str, session: Session) -> Iterator[tuple[Command, str]]:
    """Write the files of a page and run its commands, in their order; yields what each printed."""
    for other in re.findall(r"^<!-- after (.*?) -->$", page, re.MULTILINE):
        for _, name, text in reversed(FENCE.findall((PAGES / other).read_text())):
            if name:
                write(session, name, text)
    for language, name, text in FENCE.findall(page):
        if name:
            write(session, name, text)
        elif language == "console":
            for command in commands(text):
                yield command, session.run(command.line)


def blessed(page: str, session: Session) -> str:
    """The page with what its commands print, but for what has ``...`` in it."""
    at = 0
    for command, actual in steps(page, session):
        old = f"$ {command.line}\n{command.expected}"
        at = page.index(old, at)
        is_partial = ANYTHING in map(str.strip, command.expected.splitlines())
        new = old if is_partial else f"$ {command.line}\n{actual}"
        page = page[:at] + new + page[at + len(old) :]
        at += len(new)
    return page


def pages() -> list[Path]:
    """Those that have commands."""
    return [path for path in [ROOT / "README.md", *sorted(PAGES.glob("*.md"))] if "\n```console\n" in path.read_text()]
