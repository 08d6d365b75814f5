"""One program of each family with all of its report, as text and as JSON: ``NAME.py``, ``NAME.txt`` and ``NAME.json``.

``make bless`` writes the reports; tests/python/test_golden.py compares them.  Left out is what each run and machine has its own of:
numbers of processes and threads, addresses, how much was watched, and lines of code that is not ours.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import PLAIN, ROOT

FOLDER = Path(__file__).parent
PROGRAMS = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")

#: Keys of numbers that each run has its own of.
OF_A_RUN = {"ident", "native_id", "at", "pid"}


def of_every_machine(text: str) -> str:
    """A report's text without what differs: files of this folder go by their names, others by theirs and no line."""
    text = text.replace(f"{FOLDER}/", "")
    text = re.sub(r"(/[^\s:]*/)([^\s/:]+\.py):\d+", r"…/\2", text)
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    text = re.sub(r"\b(pid|native id) \d+", r"\1 …", text)
    return re.sub(r"watched \d+ hooks, \d+ checks", "watched … hooks, … checks", text)


def frame(found: dict[str, Any]) -> dict[str, Any]:
    """A frame, of which only the function is ours to say if the file is not."""
    if str(FOLDER) in found["file"]:
        return found | {"file": Path(found["file"]).name}
    return {"file": Path(found["file"]).name, "function": found["function"]}


def plain(value: Any, key: str = "") -> Any:
    """A part of a JSON report without what differs."""
    if isinstance(value, dict):
        return {name: plain(part, name) for name, part in (frame(value) if "function" in value else value).items()}
    if isinstance(value, list):
        return [plain(part, key) for part in value if key != "pids"]
    if key in OF_A_RUN:
        return 0
    return of_every_machine(value) if isinstance(value, str) else value


def reports(program: Path, folder: Path) -> tuple[str, str]:
    """What a run of the program reports, as text and as JSON."""
    written = folder / "report.json"
    command = [sys.executable, "-m", "ftsan", "run", "--races", "__main__", "--report-json", str(written), str(program)]
    done = subprocess.run(command, env=PLAIN, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 66, done.stderr
    findings = plain(json.loads(written.read_text())["findings"])
    return of_every_machine(done.stderr), json.dumps(findings, indent=1, ensure_ascii=False) + "\n"


def bless(folder: Path) -> None:
    """Write the reports of all programs; ``folder`` is for scratch."""
    for program in PROGRAMS:
        text, findings = reports(program, folder)
        program.with_suffix(".txt").write_text(text)
        program.with_suffix(".json").write_text(findings)
