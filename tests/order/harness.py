"""Two threads, one edge between them: does the second one see what the first one did before?

A case is a function that gives what the first thread does (``act``) and by what the second one notices it (``notice``).  The
threads tell each other when to go on by writing and polling plain attributes, which is no edge.  Run by ``test_order.py``:
``python -m tests.order.FILE WITHOUT CASE...`` prints what became of each case, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import ftsan
from ftsan import _native
from ftsan.testing import wait_until, wait_until_blocked
from ftsan.watch import synchronisation

type Pair = tuple[Callable[[], Any], Callable[[], Any]]

CASES: dict[str, Callable[[], bool]] = {}
#: What to take out so that the case fails; for cases that expect no order, so that there is one.
WITHOUT: dict[str, str] = {}
#: Whether there is to be an order.
EXPECTED: dict[str, bool] = {}


class Plain:
    """Attributes that threads write and poll without an order."""

    epoch = 0
    begun = acted = seen = False


def ordered(act: Callable[[], Any], notice: Callable[[], Any], blocking: bool = False) -> bool:
    """Run both, each in a thread of its own; whether the second one saw the first one."""
    plain = Plain()

    def first() -> None:
        if blocking:
            wait_until(lambda: plain.begun)
            wait_until_blocked(threads[1])
        plain.epoch = _native.epoch()
        act()
        plain.acted = True

    def second() -> None:
        plain.begun = True
        if not blocking:
            wait_until(lambda: plain.acted)
        notice()
        plain.seen = _native.has_seen(plain.epoch)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    # The second one first: the joiner of the first one knows what it did, and hands that over with the containers that it has made.
    for thread in reversed(threads):
        thread.join(30)
        assert not thread.is_alive(), "stuck"
    return plain.seen


def measured(without: str, expected: bool = True) -> Callable[[Callable[[], bool]], None]:
    """Declare a case that measures by itself."""

    def declare(case: Callable[[], bool]) -> None:
        CASES[case.__name__] = case
        WITHOUT[case.__name__] = without
        EXPECTED[case.__name__] = expected

    return declare


def edge(without: str, blocking: bool = False, expected: bool = True) -> Callable[[Callable[[], Pair]], None]:
    """Declare a case: a function that gives ``act`` and ``notice``."""

    def declare(case: Callable[[], Pair]) -> None:
        def run() -> bool:
            act, notice = case()
            return ordered(act, notice, blocking)

        run.__name__ = case.__name__
        measured(without, expected)(run)

    return declare


@contextlib.contextmanager
def elsewhere(function: Callable[[], Any]) -> Iterator[None]:
    """Run something in a thread meanwhile."""
    thread = threading.Thread(target=function)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)


def switch_on(without: str) -> None:
    """Watch this process, but for one edge."""
    ftsan.enable("text=none:races=none")
    _native.start_races()
    synchronisation.install(without.split())


def main() -> None:
    """Run the cases that the command line names."""
    without, *names = sys.argv[1:]
    switch_on(without)
    results = {name: CASES[name]() for name in names or CASES}
    print(json.dumps({"results": results, "off": json.loads(_native.report())["watched"]["off"]}))
