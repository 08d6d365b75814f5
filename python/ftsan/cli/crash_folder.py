"""The remains of a process that died: gathered, triaged, printed, and kept in a crash folder.

Runs in the launcher, after the process; imports what it likes.
"""

import json
import os
import platform
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from .. import _native
from . import say

#: Dying of these is a crash; of others (Ctrl-C, SIGTERM) it is somebody's wish.
CRASHES = {
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGSYS,
    signal.SIGTRAP,
    signal.SIGKILL,
}

#: So many crash folders are kept.
KEPT = 10


def default_folder() -> Path:
    """Where crash folders are kept if ``--crash-dir`` does not say."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "ftsan", "crashes")


def triage(scratch: str, child: int, status: int, program: list[str], report: str, folder: str | None) -> None:
    """Print the triage of every process that crashed, as its recording in ``scratch`` or (of the child) ``status`` says."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) and os.WTERMSIG(status) in CRASHES else 0
    recordings = {int(path.suffix[1:]): path for path in Path(scratch).glob("recording.*")}
    if number:
        recordings.setdefault(child, Path(scratch, f"recording.{child}"))
    for pid, recording in sorted(recordings.items(), key=lambda entry: entry[0] != child):
        told = tell(pid, recording, number if pid == child else 0, program, report, folder)
        if told is not None:
            say(f"==================\nftsan: {told.title}\n{told.text}==================\n")


class Told(NamedTuple):
    """What there is to say of a process that crashed."""

    #: "process 4711 died of SIGSEGV".
    title: str
    #: Lines: the triage, and where the crash folder is.
    text: str


def tell(pid: int, recording: Path, number: int, program: list[str], report: str, folder: str | None) -> Told | None:
    """Triage a process and keep what it has left; ``None`` if it did not crash.  ``number``: the signal it died of, or 0."""
    crash = _read(recording, number)
    if crash is None:
        return None
    crash |= facts(program, report)
    for extension in crash["extensions"]:
        extension |= _distribution_of(extension["path"])
    text = json.dumps(crash, indent=1)
    kept = _keep(Path(folder or default_folder()).absolute(), pid, recording, text)
    place = f"crash folder: {kept}  (ftsan triage --markdown {kept})\n" if kept else ""
    return Told(f"process {pid} died of {crash['signal']}", _native.triage(text, True, "text") + place)


def _read(recording: Path, number: int) -> dict[str, Any] | None:
    try:
        text = _native.read_recording(str(recording), number)
    except (OSError, ValueError) as error:
        if not number:
            return None
        say(f"ftsan: nothing was recorded before the program died: {error}\n")
        return {"signal": signal.Signals(number).name, "threads": [], "extensions": []}
    crash: dict[str, Any] | None = json.loads(text) if text else None
    return crash


def facts(program: list[str], report: str) -> dict[str, Any]:
    """What the launcher knows of a program besides how it died: interpreter, command, findings of the report so far."""
    try:
        found = json.loads(_native.read_report(report))
    except OSError, ValueError:
        found = {}
    python = {
        "version": f"Python {sys.version}",
        "gil": found.get("gil", ""),
        "executable": sys.executable,
        "platform": platform.platform(),
    }
    return {
        "python": python,
        "command": program,
        "findings": [_before(one) for one in found.get("findings", [])],
    }


def _before(finding: dict[str, Any]) -> dict[str, Any]:
    access = finding["accesses"][0]
    return {
        "rule": finding["rule"],
        "title": finding["title"],
        "at": next(iter(access["stack"]), None),
        "thread": (access["thread"] or {}).get("name", ""),
        "lines": [one["stack"][0] for one in finding["accesses"] if one["stack"]],
    }


def _distribution_of(path: str) -> dict[str, str]:
    """Import name and distribution of an extension module: by the RECORD in the folder that its package was installed to."""
    for root in Path(path).parents:
        for record in root.glob("*.dist-info/RECORD"):
            inside = Path(path).relative_to(root)
            try:
                if f"\n{inside}," not in "\n" + record.read_text():
                    continue
                wheel = record.with_name("WHEEL").read_text() if record.with_name("WHEEL").exists() else ""
            except OSError:
                continue
            distribution, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
            tags = [line.partition(":")[2].strip() for line in wheel.splitlines() if line.startswith("Tag:")]
            name = ".".join((*inside.parts[:-1], inside.name.partition(".")[0]))
            return {"name": name, "distribution": distribution, "version": version, "wheel": " ".join(tags)}
    return {}


def _keep(folder: Path, pid: int, recording: Path, text: str) -> Path | None:
    kept = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{pid}"
    try:
        for missing in [one for one in reversed(kept.parents) if not one.exists()]:
            missing.mkdir(mode=0o700, exist_ok=True)
        kept.mkdir(mode=0o700)
        _write(kept / "crash.json", text.encode())
        if recording.exists():
            _write(kept / "recording", recording.read_bytes())
        for old in sorted(entry for entry in folder.iterdir() if (entry / "crash.json").exists())[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        say(f"ftsan: cannot keep the crash in {_native.printable(str(folder))}: {error.strerror}\n")
        return None
    return kept


def _write(path: Path, content: bytes) -> None:
    """Write a new file that nobody else can read: it has paths, names and addresses of the program."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(file, "wb") as stream:
        stream.write(content)
