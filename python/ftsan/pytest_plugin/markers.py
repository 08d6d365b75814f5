"""The markers: ``ftsan_concurrent``, ``ftsan_allow``, ``ftsan_off``, and what an ``xfail`` says of misuse."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from .. import Misuse, _native

#: As ``pytest --markers`` lists them.
MARKERS = [
    "ftsan_concurrent(threads=4): run the test's body by so many threads at once, on the same fixtures; threads=1: never do",
    "ftsan_allow(*rules, reason): misuse of these rules does not fail the test",
    "ftsan_off(reason): no misuse fails the test",
]

_NAMES = {"ftsan_concurrent", "ftsan_allow", "ftsan_off", "xfail"}

#: What the markers of a test say, if it has any.
_POLICY = pytest.StashKey["Policy"]()


class Policy:
    """What the markers of a test say."""

    def __init__(self) -> None:
        #: Ids of rules, with the reason.
        self.allowed: dict[str, str] = {}
        #: The reason why nothing counts; ``None`` if it does.
        self.off: str | None = None
        #: An ``xfail`` for this exception expects misuse.
        self.expects: str | None = None
        #: How many threads are to run the test; ``None`` if no marker says so.
        self.threads: int | None = None

    def accepts(self, rule: str) -> str | None:
        """The reason why misuse of this rule does not fail the test; ``None`` if it does."""
        return self.off if self.off is not None else self.allowed.get(rule)


#: Of tests without any such marker.
NOTHING = Policy()


def read(items: Iterable[pytest.Item]) -> set[str]:
    """Note what the markers of tests say, as they are now: when all tests were collected.

    Returns the names of the markers that there are.

    :raises pytest.UsageError: a marker lacks something, or has what it may not.
    """
    names: set[str] = set()
    collector: object = None
    above: list[pytest.Mark] = []
    for item in items:
        if item.parent is not collector:  # most tests have the markers of their file alone, like the one before
            collector = item.parent
            above = _ours(item.parent.iter_markers()) if item.parent is not None else []
        if marks := [*_ours(item.own_markers), *above]:
            item.stash[_POLICY] = _policy_of(marks, item)
            names.update(mark.name for mark in marks)
    return names


def _ours(marks: Iterable[pytest.Mark]) -> list[pytest.Mark]:
    return [mark for mark in marks if mark.name in _NAMES]


def policy_of(item: pytest.Item) -> Policy:
    """What the markers of a test were found to say."""
    if _POLICY not in item.stash:  # twice for each test, and `get` would raise an exception to itself
        return NOTHING
    return item.stash[_POLICY]


def _policy_of(marks: list[pytest.Mark], item: pytest.Item) -> Policy:
    """``marks``: those that matter here, the closest one first."""
    policy = Policy()
    for mark in marks:
        if mark.name == "ftsan_allow":
            _allow(policy, item, mark)
        elif mark.name == "ftsan_off":
            policy.off = str(mark.kwargs.get("reason") or (mark.args[0] if mark.args else "") or "marked ftsan_off")
        elif mark.name == "ftsan_concurrent":
            if policy.threads is None:
                policy.threads = _threads(item, mark)
        else:
            raises = mark.kwargs.get("raises")
            if raises is Misuse or (isinstance(raises, tuple) and Misuse in raises):
                policy.expects = str(mark.kwargs.get("reason") or "misuse is expected")
    return policy


def _allow(policy: Policy, item: pytest.Item, mark: pytest.Mark) -> None:
    reason = mark.kwargs.get("reason")
    if not mark.args or not isinstance(reason, str) or not reason.strip() or set(mark.kwargs) != {"reason"}:
        raise pytest.UsageError(f'{item.nodeid}: ftsan_allow takes rules and a reason: ftsan_allow("FT401", reason="...")')
    for rule in mark.args:
        id_ = _native.find_rule(rule) if isinstance(rule, str) else None
        if id_ is None:
            raise pytest.UsageError(f"{item.nodeid}: ftsan_allow: {_native.no_such_rule(str(rule))}")
        policy.allowed[id_] = reason


def _threads(item: pytest.Item, mark: pytest.Mark) -> int:
    threads = mark.kwargs.get("threads", mark.args[0] if mark.args else 4)
    if not isinstance(threads, int) or not 1 <= threads <= 256 or len(mark.args) > 1 or set(mark.kwargs) - {"threads"}:
        raise pytest.UsageError(f"{item.nodeid}: ftsan_concurrent takes a number from 1 to 256: ftsan_concurrent(threads=4)")
    return threads
