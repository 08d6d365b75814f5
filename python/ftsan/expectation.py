"""``ftsan.expect``: a misuse that a test makes on purpose."""

from __future__ import annotations

from types import TracebackType

from . import Misuse, _native, findings_by_test, process


class Expectation:
    """See :func:`ftsan.expect`."""

    def __init__(self, rules: tuple[str, ...]) -> None:
        found = {rule: _native.find_rule(rule) for rule in rules}
        unknown = [rule for rule, id_ in found.items() if id_ is None]
        if unknown or not rules:
            raise ValueError(f"ftsan.expect: {_native.no_such_rule(unknown[0]) if unknown else 'no rule given'}")
        self.rules = {id_ for id_ in found.values() if id_ is not None}
        self.before: list[findings_by_test.Occurrence] = []

    def __enter__(self) -> None:
        """Begin to look."""
        if process.is_enabled():
            findings_by_test.begin()
            self.before = findings_by_test.take()

    def __exit__(self, type_: type[BaseException] | None, raised: BaseException | None, _: TracebackType | None) -> bool:
        """Take what was expected out of what is blamed on the test.

        :raises AssertionError: it did not happen.
        """
        if not process.is_enabled():
            return False
        news = findings_by_test.take()
        came = [one for one in news if one.finding["rule"] in self.rules]
        findings_by_test.expected.update(one.key for one in came)
        findings_by_test.give_back(self.before + [one for one in news if one.finding["rule"] not in self.rules])
        if raised is not None:
            return isinstance(raised, Misuse) and str(raised).partition(":")[0] in self.rules
        if not came:
            raise AssertionError(f"expected {' or '.join(sorted(self.rules))}, which was not found")
        return False
