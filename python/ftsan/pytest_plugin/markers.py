"""The markers: ``ftsan_concurrent``, ``ftsan_allow``, ``ftsan_off``, and what an ``xfail`` says of misuse."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass
class Policy:
    """What the markers of a test say."""

    #: Ids of rules, with the reason.
    allowed: dict[str, str] = field(default_factory=dict)
    #: The reason why nothing counts; ``None`` if it does.
    off: str | None = None
    #: An ``xfail`` for this exception expects misuse.
    expects: str | None = None
    #: How many threads are to run the test; ``None`` if no marker says so.
    threads: int | None = None

    def accepts(self, rule: str) -> str | None:
        """The reason why misuse of this rule does not fail the test; ``None`` if it does."""
        return self.off if self.off is not None else self.allowed.get(rule)


#: Of tests without any such marker.
NOTHING = Policy()


def read(item: pytest.Item) -> None:
    """Note what the markers of a test say, as they are now: when all tests were collected.

    :raises pytest.UsageError: a marker lacks something, or has what it may not.
    """
    marks = [mark for mark in item.iter_markers() if mark.name in _NAMES]
    if marks:
        item.stash[_POLICY] = _policy_of(marks, item)


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
