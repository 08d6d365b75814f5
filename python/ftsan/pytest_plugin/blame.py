"""Which test a finding is blamed on: the one in whose context it happened, in the phase in which it did.

Threads and tasks that outlive their test go on in its context.  Misuse in them then fails no other test: it is reported as an error
of the test that started them.  Misuse in nobody's context, or in a thread of an executor, is the doing of the test that runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from typing import Any

import pytest

from .. import _native, findings_by_test
from . import markers
from .concurrency import Concurrency, copy_of
from .shown import Sent, Shown, title

#: Name of the plug-in that is there as soon as tests run.
WHEN_LOGGED = "ftsan-when-logged"

#: An executor's thread keeps the context of the test that made it, and works for whoever gives it work.
EXECUTOR = "/concurrent/futures/thread.py"


class Blame:
    """Blames each finding on a test."""

    def __init__(self, config: pytest.Config, concurrency: Concurrency) -> None:
        self.config = config
        self.concurrency = concurrency
        self.is_worker = hasattr(config, "workerinput")
        self.shown = Shown()
        #: The tests, by their names.
        self.known: dict[str, pytest.Item] = {}
        #: Keys of what some test or marker has answered for.
        self.answered: set[tuple[str, int]] = set()
        #: "RULE at TEST: reason", of what markers accept.
        self.accepted: list[str] = []
        #: In how many runs of a test something was found: by test and rule.
        self.hits: dict[tuple[str, str], set[int]] = {}
        self.threads_before = 0
        findings_by_test.begin()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Forget the misuse until now, which is no test's doing."""
        self.known = {item.nodeid: item for item in session.items}
        findings_by_test.take()
        self.threads_before = threads_so_far()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Whatever begins from now on goes by the name of the test: by the documentation of pytest, this is how each one begins.

        To wrap the whole of it takes four times as long.
        """
        findings_by_test.CURRENT.set(nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Look into reports from now on, before whatever is there by now."""
        plugins = self.config.pluginmanager
        if plugins.has_plugin(WHEN_LOGGED):  # a plug-in runs them again
            return
        if _may_share_fixtures(session.items):
            plugins.register(SharedFixtures(), "ftsan-shared-fixtures")
        if self._are_run_by_others():
            plugins.register(WhenMade(self), "ftsan-when-made")
        plugins.register(WhenLogged(self), WHEN_LOGGED)

    def _are_run_by_others(self) -> bool:
        """Whether a plug-in runs the tests: it may log their reports later, or none of them, or in another process."""
        hook = self.config.hook
        every = (*hook.pytest_runtestloop.get_hookimpls(), *hook.pytest_runtest_protocol.get_hookimpls())
        functions = [one.function for one in every if not (one.wrapper or one.hookwrapper or one.plugin is self)]
        return any(not getattr(function, "__module__", "").startswith("_pytest.") for function in functions)

    def blame(self, item: pytest.Item, report: pytest.TestReport, news: list[findings_by_test.Occurrence]) -> None:
        """Fail the phase (setup, call, teardown) during which something was found."""
        late = [one for one in news if self._is_late(one, item.nodeid)]
        own = self._count([one for one in news if one not in late], item.nodeid)
        if late:
            report.ftsan_late = self._late(late)  # type: ignore[attr-defined]
        if own and self._is_of_body(item, own):
            reason = "its body changes what it shares with itself"
            self.concurrency.left_out.setdefault(reason, []).append(item.nodeid)
            own = []
            if report.outcome != "skipped":
                report.outcome = "skipped"
                report.longrepr = (str(item.path), (item.location[1] or 0) + 1, f"Skipped: {reason}")
        if own:
            self._fail(report, item, own)

    def _fail(self, report: pytest.TestReport, item: pytest.Item, own: list[findings_by_test.Occurrence]) -> None:
        expects = markers.policy_of(item).expects
        fails_for_it = report.outcome != "failed"
        report.ftsan = [_sent(one) for one in own]  # type: ignore[attr-defined]
        report.ftsan_fails_for_it = fails_for_it  # type: ignore[attr-defined]
        if fails_for_it and expects is not None:
            report.outcome, report.wasxfail = "skipped", expects
            report.longrepr = "; ".join(title(one.finding) for one in own)
        elif fails_for_it:
            report.outcome = "failed"
            report.longrepr = "; ".join(title(one.finding) for one in own)
            if hasattr(report, "wasxfail"):
                del report.wasxfail

    def _is_late(self, one: findings_by_test.Occurrence, current: str) -> bool:
        if one.test in ("", current) or one.test not in self.known:
            return False
        return not any(frame["file"].endswith(EXECUTOR) for frame in one.finding["accesses"][0]["stack"])

    def _count(self, news: Iterable[findings_by_test.Occurrence], nodeid: str) -> list[findings_by_test.Occurrence]:
        """What of this a test is to be blamed for, each finding once."""
        policy = markers.policy_of(self.known[nodeid]) if nodeid in self.known else markers.NOTHING
        own: list[findings_by_test.Occurrence] = []
        for one in news:
            self.answered.add(one.key)
            reason = policy.accepts(one.finding["rule"])
            if reason is not None:
                self.accepted.append(f"{one.finding['rule']} at {nodeid}: {reason}")
            elif all(one.key != other.key for other in own):
                own.append(one)
        return own

    def _is_of_body(self, item: pytest.Item, own: list[findings_by_test.Occurrence]) -> bool:
        """Whether a test that was not written for several threads races with itself, in its own lines."""
        copy = copy_of(item)
        if copy is None or copy.threads == 1 or not isinstance(item, pytest.Function):
            return False
        name = item.function.__qualname__

        def is_body(frame: dict[str, Any]) -> bool:
            return bool(frame["file"] == str(item.path) and (frame["function"] + ".").startswith(name + "."))

        stacks = [access["stack"] for one in own for access in one.finding["accesses"] if access["role"] != "created"]
        return all(stack and is_body(stack[0]) for stack in stacks)

    def _late(self, news: list[findings_by_test.Occurrence]) -> list[dict[str, Any]]:
        """As what each test is reported that had ended."""
        late = []
        for nodeid in sorted({one.test for one in news}):
            own = self._count([one for one in news if one.test == nodeid], nodeid)
            if own:
                late.append({"nodeid": nodeid, "location": [*self.known[nodeid].location], "found": [_sent(one) for one in own]})
        return late

    def take_from(self, report: pytest.TestReport) -> None:
        """Show what was found, and report what a test did after it had ended at that test."""
        extra = report.__dict__
        for late in extra.pop("ftsan_late", ()):
            self.report_late(late)
        found: list[Sent] = extra.pop("ftsan", [])
        if not found:
            return
        for one in found:
            self.answered.add((one["key"][0], one["key"][1]))  # a worker that dies does not say so at the end
            self._note_hit(report.nodeid, one["finding"]["rule"])
        if report.outcome == "failed":
            self.shown.show(report, found, extra.pop("ftsan_fails_for_it", False))

    def _note_hit(self, nodeid: str, rule: str) -> None:
        turns = self.concurrency.turns
        if turns > 1:
            for turn in range(turns):
                mark = f"{turn + 1}-of-{turns}"
                if f"{mark}]" in nodeid:
                    test = nodeid.replace(f"-{mark}]", "]").replace(f"[{mark}]", "")
                    self.hits.setdefault((test, rule), set()).add(turn)

    def report_late(self, late: dict[str, Any]) -> None:
        """Report misuse that a test's threads or tasks have made after its end."""
        file, line, name = late["location"]
        report = pytest.TestReport(
            nodeid=late["nodeid"],
            location=(file, line, f"{name} (after its end)"),
            keywords={},
            outcome="failed",
            longrepr="; ".join(title(one["finding"]) for one in late["found"]),
            when="teardown",
        )
        report.ftsan = late["found"]  # type: ignore[attr-defined]
        report.ftsan_fails_for_it = True  # type: ignore[attr-defined]
        self.config.hook.pytest_runtest_logreport(report=report)

    def end_tests(self) -> None:
        """The tests have ended: this thread works for none of them from now on."""
        findings_by_test.CURRENT.set("")

    def finish(self) -> dict[str, Any]:
        """The rest that is to be said when the tests have ended: plain data, which a worker of pytest-xdist sends."""
        news = findings_by_test.take()
        late = self._late([one for one in news if one.test in self.known])
        self.answered |= findings_by_test.expected
        hits = self.concurrency
        return {
            "late": late,
            "answered": sorted(self.answered),
            "accepted": self.accepted,
            "left_out": hits.left_out,
            "ran": sorted(hits.ran.items()),
            "threads": threads_so_far() - self.threads_before,
            "tests": sorted({nodeid.partition("::")[0] for nodeid in self.known}),
        }


class SharedFixtures:
    """Runs a fixture of several tests so that threads and tasks that it starts go by the name of none.

    It is gone through for each fixture and each parametrised argument, and takes a quarter of all that is done for a test.
    """

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Around the fixture and whatever other plug-ins do with it."""
        if fixturedef.scope == "function":
            return (yield)
        token = findings_by_test.CURRENT.set("")
        try:
            return (yield)
        finally:
            findings_by_test.CURRENT.reset(token)


def _may_share_fixtures(items: Iterable[pytest.Item]) -> bool:
    """Whether tests use, or may ask for while they run, a fixture of several tests; pytest's own start no threads."""
    for info in {id(info): info for info in (getattr(item, "_fixtureinfo", None) for item in items)}.values():
        if info is None:  # no test function: it has no fixtures
            continue
        fixtures = [fixture for each in info.name2fixturedefs.values() for fixture in each]
        if "request" in info.argnames or any(_may_be_shared(fixture) for fixture in fixtures):
            return True
    return False


def _may_be_shared(fixture: pytest.FixtureDef[Any]) -> bool:
    """Whether it is one of several tests, or can ask for one by its ``request``."""
    module = getattr(fixture.func, "__module__", None) or ""
    if not module.startswith("_pytest."):
        return fixture.scope != "function" or "request" in fixture.argnames
    # These two make fixtures of setup_module(), setUpClass() and their like.
    return fixture.scope != "function" and module in ("_pytest.python", "_pytest.unittest")


class WhenMade:
    """Looks into a report as soon as it is made.  That takes four times as long as when it is logged."""

    def __init__(self, blame: Blame) -> None:
        self.blame = blame

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """After all others."""
        report = yield
        if news := findings_by_test.take():
            self.blame.blame(item, report, news)
        return report


class WhenLogged:
    """Looks into a report when it is logged, which pytest does at once, and in the main process takes out what it brings along."""

    def __init__(self, blame: Blame) -> None:
        self.blame = blame

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Before all others."""
        extra = report.__dict__
        if "ftsan" not in extra and "ftsan_late" not in extra:
            news = findings_by_test.take()
            if not news:
                return  # after each phase of each test
            item = self.blame.known.get(report.nodeid)
            if item is None:  # no test's
                findings_by_test.give_back(news)
                return
            self.blame.blame(item, report, news)
        if not self.blame.is_worker:
            self.blame.take_from(report)


def _sent(one: findings_by_test.Occurrence) -> Sent:
    return {"key": [*one.key], "pid": os.getpid(), "finding": one.finding}


def threads_so_far() -> int:
    """How many threads were seen in this process."""
    threads: int = json.loads(_native.report())["watched"]["threads"]
    return threads
