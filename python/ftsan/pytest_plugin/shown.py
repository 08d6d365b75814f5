"""Findings as the report of a test shows them: in full where they happened first, afterwards in a line that says where that was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from _pytest._code.code import ExceptionRepr, ReprFileLocation, TerminalRepr
from _pytest._io import TerminalWriter

from .. import _native

#: Sent with the report of a test from a worker of pytest-xdist, so plain data: key, pid, finding.
Sent = dict[str, Any]


def title(finding: dict[str, Any]) -> str:
    """One line."""
    return f"{finding['rule']}: {finding['title']}"


def on_terminal(finding: dict[str, Any], pid: int, tw: TerminalWriter) -> str:
    """A finding as it is printed where pytest writes; pytest takes what is no terminal for one of 80 columns."""
    return _native.render(json.dumps(finding), pid, tw.hasmarkup, tw.fullwidth)


class FoundRepr(TerminalRepr):
    """The text for a test that fails for what was found: instead of a traceback."""

    def __init__(self, report: pytest.TestReport, first: list[Sent], again: list[tuple[Sent, str]]) -> None:
        self.first, self.again = first, again
        every = [one["finding"] for one in first] + [one["finding"] for one, _ in again]
        file, line, _ = report.location
        #: What the short summary and JUnit take the message from.
        self.reprcrash = ReprFileLocation(file, (line or 0) + 1, _native.printable("; ".join(map(title, every))))

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write it."""
        for one, where in self.again:
            tw.line(_native.printable(f"{title(one['finding'])} (shown at {where})"))
        for number, one in enumerate(self.first):
            tw.write("\n" * (number > 0) + on_terminal(one["finding"], one["pid"], tw))

    def text(self) -> str:
        """It without colours, for where it is a section among others."""
        again = [_native.printable(f"{title(one['finding'])} (shown at {where})\n") for one, where in self.again]
        return "".join(again) + "\n".join(_native.render(json.dumps(one["finding"]), one["pid"], False, 0) for one in self.first)


class Shown:
    """The findings that were shown in this session, which is the main process's to know."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, int], str] = {}
        #: Reports that show nothing new.
        self.only_again: set[int] = set()

    def show(self, report: pytest.TestReport, sent: list[Sent], fails_for_it: bool) -> None:
        """Have a report show what happened in its test.  ``fails_for_it``: it would not have failed otherwise."""
        first, again = [], []
        for one in sent:
            key = (one["key"][0], one["key"][1])
            if key in self.places:
                again.append((one, self.places[key]))
            else:
                self.places[key] = report.nodeid
                first.append(one)
        shown = FoundRepr(report, first, again)
        if fails_for_it:
            report.longrepr = shown
            if not first:
                self.only_again.add(id(report))
        elif isinstance(report.longrepr, ExceptionRepr):
            report.longrepr.addsection("ftsan", shown.text())  # in JUnit, too
        else:
            report.sections.append(("ftsan", shown.text()))
