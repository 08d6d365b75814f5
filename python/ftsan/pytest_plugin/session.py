"""The end of a watched session: what no test can be blamed for, what was looked at, and the status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from .. import _native
from ..findings_by_test import key_of
from .blame import Blame
from .shown import FoundRepr, on_terminal

if TYPE_CHECKING:
    from ..cli.crash_folder import Told

#: Status of a run that could not watch what it was asked to.
NOT_WATCHED = 67

#: How many names of one kind are listed.
NAMED = 6


class Session:
    """Sums up, in the main process, what all processes have seen."""

    def __init__(self, config: pytest.Config, blame: Blame, project: set[str], dead: dict[str, Told]) -> None:
        self.config = config
        self.blame = blame
        self.project = project
        #: Of workers that died between tests.
        self.dead = dead
        self.path = _native.check_options(os.environ.get("FTSAN_OPTIONS", ""))[1]
        self.lines: list[str] = []
        self.outside: list[dict[str, Any]] = []
        self.from_workers: list[dict[str, Any]] = []
        #: Reports that are left out of the sections, and what there is with them, by category.
        self.folded: list[pytest.TestReport] = []
        self.whole: dict[str, list[Any]] = {}

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Sum up, after what the project does at the end and before workers of pytest-xdist and the terminal tell what there is."""
        self.blame.end_tests()
        try:
            return (yield)
        finally:
            self._sum_up(session)

    def _sum_up(self, session: pytest.Session) -> None:
        """Bring the report up to date; in the main process, look for what no test can be blamed for."""
        _native.flush()
        ours = self.blame.finish()
        if self.blame.is_worker:
            self.config.workeroutput["ftsan"] = ours  # type: ignore[attr-defined]
            return
        if self.path is None:
            return
        for late in ours["late"]:
            self.blame.report_late(late)
            self._fail(session)
        parts = [ours, *self.from_workers]
        answered = {(fingerprint, line) for part in parts for fingerprint, line in part["answered"]}
        report = json.loads(_native.read_report(self.path))
        status, summary, _ = _native.conclude(self.path, os.environ.get("FTSAN_OPTIONS", ""))
        serious = [finding for finding in report["findings"] if finding["severity"] != "info"]
        self.outside = [finding for finding in serious if key_of(finding) not in answered]
        self.lines = [*summary.splitlines(), *self._told(parts)]
        is_unseen = not self.config.option.collectonly and self._looked_at(report, parts)
        if self.outside:
            self._fail(session)
        elif (status == NOT_WATCHED or is_unseen) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = NOT_WATCHED

    def _fail(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist has seen."""
        part = getattr(node, "workeroutput", {}).get("ftsan")
        if part is not None:
            self.from_workers.append(part)
            for late in part["late"]:
                self.blame.report_late(late)

    def _told(self, parts: list[dict[str, Any]]) -> list[str]:
        """What markers accept, what several threads ran and did not, and how often something showed."""
        lines = [f"ftsan: accepted: {line}" for line in sorted({line for part in parts for line in part["accepted"]})]
        ran: dict[int, int] = {}
        left_out: dict[str, set[str]] = {}
        for part in parts:
            for threads, tests in part["ran"]:
                ran[threads] = ran.get(threads, 0) + tests
            for reason, names in part["left_out"].items():
                left_out.setdefault(reason, set()).update(names)
        seed = self.blame.concurrency.seed
        for threads, tests in sorted(ran.items()):
            lines.append(f"ftsan: {_count(tests, 'test')} run by {threads} threads at once (--ftsan-seed={seed})")
        for reason, names in sorted(left_out.items(), key=lambda item: (-len(item[1]), item[0])):
            lines.append(f"ftsan: not run by several threads: {_listed(sorted(names))} ({reason})")
        turns = self.blame.concurrency.turns
        for (test, rule), hits in sorted(self.blame.hits.items()):
            lines.append(f"ftsan: {rule} in {len(hits)} of {turns} runs of {test}")
        return lines

    def _looked_at(self, report: dict[str, Any], parts: list[dict[str, Any]]) -> bool:
        """Say what was watched for data races and whether anything could race; returns whether less than was asked for."""
        races = self.config.getoption("ftsan_races")
        is_asked = bool(races and races != "none") or self.blame.concurrency.threads > 1
        if races == "none":
            self.lines.append("ftsan: data races were not looked for (--ftsan-races=none)")
            return False
        watched = [name.removesuffix(" (races)") for name in report["watched"]["packages"] if name.endswith(" (races)")]
        tests = {os.path.basename(file).removesuffix(".py") for part in parts for file in part["tests"]} | {
            "__main__",
            "conftest",
            "tests",
            "test",
        }
        # `__main__` is pytest's, hypothesis writes modules; swaps of the standard library's for the program are watched with it.
        given = (races or "").split(",")
        others = {name for name in watched if name in sys.stdlib_module_names or name.startswith("hypothesis_temporary_module_")}
        names = [name for name in watched if name not in tests and (name in given or name not in others)]
        shown = _listed(names) if names else "nothing but the tests themselves"
        absent = {name for name in self.project if not any((name + ".").startswith(seen + ".") for seen in watched)}
        is_unknown = not absent and not names
        unknown = "; no installed package is known to be the project under test: name it with --ftsan-races=PKG"
        self.lines.append(f"ftsan: watched for data races: {shown}{unknown if is_unknown else ''}")
        if absent and not names:
            self.lines.append(f"ftsan: not watched: {_listed(sorted(absent))}: no Python code of the project under test ran")
        threads = sum(part["threads"] for part in parts)
        is_concurrent = any(part["ran"] for part in parts) or self.blame.concurrency.is_parallel
        line = f"ftsan: {_count(threads, 'thread')} ran beside the main thread while tests ran"
        if not is_concurrent:
            line += "; with --ftsan-concurrent=4 each test runs in four at once on the same fixtures, which finds more"
        self.lines.append(line)
        if threads == 0:
            self.lines.append("ftsan: not watched: data races: no second thread ran, so nothing could race")
        return is_asked and threads == 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Leave out the sections of tests that show nothing new."""
        self._fold(terminalreporter)
        try:
            return (yield)
        finally:
            self._unfold(terminalreporter)

    def _fold(self, terminalreporter: pytest.TerminalReporter) -> None:
        for kind in ("failed", "error"):
            whole = terminalreporter.stats.get(kind, [])
            again = [report for report in whole if id(report) in self.blame.shown.only_again]
            if again:
                self.folded += again
                self.whole[kind] = whole
                terminalreporter.stats[kind] = [report for report in whole if report not in again]

    def _unfold(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.stats |= self.whole
        self.folded, self.whole = [], {}

    def write(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write what is said at the end."""
        if self.folded:
            terminalreporter.section("ftsan: the same again")
            by_title: dict[str, list[str]] = {}
            for report in self.folded:
                assert isinstance(report.longrepr, FoundRepr)
                where = ", ".join(dict.fromkeys(place for _, place in report.longrepr.again))
                title = f"{report.longrepr.reprcrash.message} (shown at {where})"
                by_title.setdefault(title, []).append(report.nodeid)
            for title, nodeids in by_title.items():
                terminalreporter.write_line(f"{title}: {_listed(nodeids)}")
        self._unfold(terminalreporter)
        for worker, told in self.dead.items():
            terminalreporter.section(f"ftsan: worker {worker}: {told.title}")
            terminalreporter.write(told.text)
        if self.outside:
            terminalreporter.section("ftsan: outside of any test")
            for finding in self.outside:
                terminalreporter.write(on_terminal(finding, os.getpid(), terminalreporter._tw))
        if self.lines:
            terminalreporter.section("ftsan")
            for line in self.lines:
                terminalreporter.write_line(line)


class LastWords:
    """Writes between pytest's own sections and its short summary."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was watched, and show what no test can be blamed for."""
        self.session.write(terminalreporter)


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
