"""What was found in this process since it was last asked for, and in the name of which test.

The name is the value of :data:`CURRENT`: tasks and callbacks of loops take it along, and threads inherit it.  Where threads begin
with an empty context, as on builds with the GIL, the native module hands the name to those that it sees started.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

from . import _native

#: The test that whatever runs in this context belongs to; empty for what belongs to several.
CURRENT: ContextVar[str] = ContextVar("ftsan_test", default="")


def key_of(finding: dict[str, Any]) -> tuple[str, int]:
    """What tells findings apart: the fingerprint, and the line of the offending call unless it may have several locations."""
    stack = finding["accesses"][0]["stack"]
    return finding["fingerprint"], stack[0]["line"] if stack and not finding.get("locations") else 0


class Occurrence:
    """A finding that happened."""

    def __init__(self, test: str, finding: dict[str, Any]) -> None:
        #: The test in whose context; empty if there was none.
        self.test = test
        #: As in the report.
        self.finding = finding

    @property
    def key(self) -> tuple[str, int]:
        """What tells findings apart."""
        return key_of(self.finding)


#: Looked at by ``ftsan.expect`` and given back.
_given_back: list[Occurrence] = []

#: Keys of what was expected and came: no test can be blamed for it.
expected: set[tuple[str, int]] = set()


def begin() -> None:
    """Note what is found from now on."""
    _native.name_occurrences_by(CURRENT)


def take() -> list[Occurrence]:
    """What happened since the last time, each finding once for each test."""
    taken = _native.take_occurrences()
    if not taken and not _given_back:
        return []  # after each phase of each test
    happened = [*_given_back, *(Occurrence(test, json.loads(finding)) for test, finding in taken)]
    _given_back.clear()
    return happened


def give_back(happened: list[Occurrence]) -> None:
    """Have :func:`take` return this the next time."""
    _given_back.extend(happened)
