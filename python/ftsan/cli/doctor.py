"""``ftsan doctor``: is everything watched here that can be?  A canary of every rule has to be caught."""

import json
import os
import subprocess
import sys
import tempfile

from .. import _native
from ..env import describe, gil_state
from ..watch import LIBRARIES, table_of
from . import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


#: Rules without a canary, and why.
NOT_TRIED = {"FT604": "about how a process begins"}
#: The same where the GIL is on from the beginning.
NOT_TRIED_WITH_GIL = dict.fromkeys(("FT601", "FT602"), "the GIL is on already")


def doctor() -> int:
    """Print what works; returns 0 if everything does, else 67."""
    lines: list[str] = []
    status = _examine(lines.append)
    return show("".join(f"{line}\n" for line in lines)) or status


def _examine(say: Callable[[str], None]) -> int:
    """Say what works; returns the exit status."""
    facts = describe()
    say(f"ftsan {_native.__version__} on CPython {facts['version']} ({facts['build']}), GIL {gil_state()}")
    say(f"interpreter: {facts['executable']}")
    tables = {library: table_of(library) for library in LIBRARIES}
    known, unknown = _libraries(tables, say)
    with tempfile.TemporaryDirectory(prefix="ftsan-doctor-") as scratch:
        path = os.path.join(scratch, "report.json")
        # The canary is in a package that is installed, and so not watched for data races unless it is named.
        options = {"report_json": path, "text": "none", "races": "ftsan.cli"}
        environment = os.environ | {"FTSAN": "1", "FTSAN_OPTIONS": _native.encode_options(options)}
        canary = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "ftsan.cli.canary", *sorted(known)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        try:
            with open(path) as file:
                report = json.load(file)
        except OSError:
            say("affinity: OFF: the canary did not load ftsan; is ftsan.pth in site-packages?")
            return 67
    watched = report["watched"]
    say(f"affinity: {watched['hooks']} functions and methods watched")
    for reason in watched["off"]:
        say(f"OFF: {reason}")
    if canary.returncode:
        say(f"the canary died with status {canary.returncode}: {canary.stderr.strip().splitlines()[-1:]}")
    found = {finding["rule"] for finding in report["findings"]}
    missed = 0
    not_tried = NOT_TRIED | (NOT_TRIED_WITH_GIL if gil_state() == "enabled" else {})
    for rule, name, _ in _native.rules_table():
        of = [library for library, table in tables.items() if rule in {row[0] for row in getattr(table, "METHODS", ())}]
        if of and not known.intersection(of):
            say(f"  {rule} {name}: not tried: {' and '.join(of)} not watched here")
            continue
        if rule in not_tried:
            say(f"  {rule} {name}: not tried: {not_tried[rule]}")
            continue
        missed += rule not in found
        say(f"  {rule} {name}: {'caught' if rule in found else 'MISSED'}")
    say(f"core files and processes: {_reader()}")
    healthy = not (missed or watched["off"] or canary.returncode or unknown)
    say("all is well" if healthy else "not everything is watched: runs here may be clean without having looked")
    return 0 if healthy else 67


def _reader() -> str:
    """By what ``ftsan triage`` reads a core file or a process here."""
    from importlib.util import find_spec
    from shutil import which

    if find_spec("pystack"):
        return "read by pystack"
    return "only native stacks, by gdb (pip install 'ftsan[core]')" if which("gdb") else "not read (pip install 'ftsan[core]')"


def _libraries(tables: dict[str, ModuleType], say: Callable[[str], None]) -> tuple[set[str], set[str]]:
    """Say what is installed; returns the libraries that can be watched here, and those whose version is not known."""
    from importlib.metadata import PackageNotFoundError, version

    known, unknown = set(), set()
    for library, table in tables.items():
        if not table.DISTRIBUTION:
            known.add(library)
            continue
        try:
            installed = version(table.DISTRIBUTION)
        except PackageNotFoundError:
            continue
        if installed.startswith(table.VERSIONS):
            known.add(library)
            say(f"{library} {installed}: watched when it is imported")
        else:
            unknown.add(library)
            say(f"OFF: {library} {installed}: version not known ({', '.join(table.VERSIONS)} are), not watched")
    return known, unknown
