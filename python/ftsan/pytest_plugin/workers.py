"""Workers of pytest-xdist that die: why, told at the test that each ran, with a crash folder as ``ftsan run`` keeps one."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprFileLocation, TerminalRepr
from _pytest._io import TerminalWriter

from ..cli import crash_folder

#: Seconds that a worker whose pipe is closed may take to be gone.
PATIENCE = 60


class DeathRepr(TerminalRepr):
    """What is shown of the test that a worker died in."""

    def __init__(self, nodeid: str, message: str, text: str) -> None:
        self.reprcrash = ReprFileLocation(nodeid.partition("::")[0], 0, message)
        self.body = text

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write it."""
        tw.line(self.reprcrash.message)
        tw.write(self.body)


class Workers:
    """In the main process: has its workers record what they do, and reads what those leave that die."""

    def __init__(self, config: pytest.Config, scratch: str, report: str, crash_dir: str | None) -> None:
        self.config, self.report, self.crash_dir = config, report, crash_dir
        self.recordings = Path(scratch, "recording")
        #: What is not shown at a test yet, by the worker's id.
        self.dead: dict[str, crash_folder.Told] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        """Have the workers leave a recording if they die."""
        os.environ["FTSAN_RECORDING"] = str(self.recordings)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Triage a worker that has died; one that runs on another machine leaves nothing here."""
        process = getattr(node.gateway._io, "popen", None)
        if error is None or process is None:
            return
        status = process.wait(timeout=PATIENCE)
        number = -status if status < 0 and signal.Signals(-status) in crash_folder.CRASHES else 0
        recording = self.recordings.with_name(f"{self.recordings.name}.{process.pid}")
        command = [sys.executable, "-m", "pytest", *self.config.invocation_params.args]
        told = crash_folder.tell(process.pid, recording, number, [str(word) for word in command], self.report, self.crash_dir)
        if told is not None:
            self.dead[node.gateway.id] = told

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Show it at the test that the worker ran."""
        told = self.dead.pop(report.node.gateway.id, None)
        if told is not None:
            report.longrepr = DeathRepr(crashitem, f"{told.title}: {report.longrepr}", told.text)
