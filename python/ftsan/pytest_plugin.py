"""``pytest --ftsan``: the test during which a misuse happens fails, whichever thread did it.

The process is watched from the first conftest on.  Workers of pytest-xdist and processes that tests start are watched through the
environment and report into the same file; what cannot be blamed on a test fails the run.
"""

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Generator
from typing import Any

import pytest

from . import _native, process
from .env import unsupported

PREFIX = "ftsan_"

#: Status of a run that could not watch what it was asked to.
NOT_WATCHED = 67

#: What tells findings apart: the fingerprint, and the line of the offending call.
Key = tuple[str, int]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--ftsan`` and every option of the table with the prefix ``--ftsan-``."""
    group = parser.getgroup("ftsan", "sanitizer for free-threaded Python")
    group.addoption("--ftsan", action="store_true", help="fail each test during which threads misuse an event loop")
    for key, value, default, help_, public in _native.options():
        if public:
            shown = f"{help_} (default {default})" if default else help_
            name, dest = "--ftsan-" + key.replace("_", "-"), PREFIX + key
            if value == "yes|no":
                group.addoption(name, dest=dest, action="store_const", const="yes", default=None, help=shown)
            else:
                group.addoption(name, dest=dest, metavar=value, default=None, help=shown)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start watching before anything of the project is imported."""
    _enable(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start watching if that was not possible earlier (``-p ftsan.pytest_plugin``), and attribute findings to tests."""
    _enable(config)
    if config.known_args_namespace.ftsan:
        config.pluginmanager.register(Attribution(config), "ftsan-attribution")


def _enable(config: pytest.Config) -> None:
    options = config.known_args_namespace
    if not options.ftsan or hasattr(config, "workerinput") or process.is_enabled():
        return
    reason = unsupported()
    if reason:
        raise pytest.UsageError(f"--ftsan: {reason}")
    given = {}
    for key, value, _, _, public in _native.options():
        text = getattr(options, PREFIX + key) if public else None
        if text is not None:  # files as absolute paths: children may run in other folders
            given[key] = os.path.abspath(text) if value == "FILE" else text
    if "report_json" not in given:
        scratch = tempfile.mkdtemp(prefix="ftsan-")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)  # runs after the last words, which are registered later
        given["report_json"] = os.path.join(scratch, "report.json")
    text = _native.encode_options(given | {"text": "none"})
    try:
        _native.check_options(text)
        _native.start_report(given["report_json"])
        process.enable(text)
    except (ValueError, OSError, RuntimeError) as error:
        raise pytest.UsageError(f"--ftsan: {error}") from None
    before = {name: os.environ.get(name) for name in ("FTSAN", "FTSAN_OPTIONS")}
    os.environ.update(FTSAN="1", FTSAN_OPTIONS=text)
    config.add_cleanup(lambda: _restore(before))


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _findings(report: dict[str, Any]) -> dict[Key, dict[str, Any]]:
    serious = (finding for finding in report["findings"] if finding["severity"] != "info")
    return {(finding["fingerprint"], finding["accesses"][0]["stack"][0]["line"]): finding for finding in serious}


class Attribution:
    """Blames each finding on the test that was running."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_worker = hasattr(config, "workerinput")
        self.path = _native.check_options(os.environ.get("FTSAN_OPTIONS", ""))[1]
        self.seen = 0
        self.counts: dict[Key, int] = {}
        self.blamed: set[Key] = set()
        self.summary = ""
        self.outside: list[dict[str, Any]] = []

    def pytest_collection_finish(self) -> None:
        """What happened until now is no test's doing."""
        self._news()

    def _news(self) -> dict[Key, dict[str, Any]]:
        """The findings that happened, again or for the first time, since the last call."""
        occurrences = _native.occurrences()
        if occurrences == self.seen:
            return {}
        self.seen = occurrences
        now = _findings(json.loads(_native.report()))
        news = {key: finding for key, finding in now.items() if finding["count"] > self.counts.get(key, 0)}
        self.counts = {key: finding["count"] for key, finding in now.items()}
        return news

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail the phase (setup, call, teardown) during which something was found."""
        report = yield
        news = self._news()
        if news:
            self.blamed |= news.keys()
            text = "\n".join(_native.render(json.dumps(finding)) for finding in news.values())
            report.sections.append(("ftsan", text))
            if report.outcome != "failed":
                report.outcome = "failed"
                titles = "\n".join(f"{finding['rule']}: {finding['title']}" for finding in news.values())
                report.longrepr = f"{titles}\n(both stacks below, in the section ftsan)"
                if hasattr(report, "wasxfail"):
                    del report.wasxfail
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Bring the report up to date; in the main process, look for what no test can be blamed for."""
        _native.flush()
        if self.is_worker:
            self.config.workeroutput["ftsan_blamed"] = sorted(self.blamed)  # type: ignore[attr-defined]
            return
        if self.path is None:
            return
        report = json.loads(_native.read_report(self.path))
        status, self.summary, _ = _native.conclude(self.path, os.environ.get("FTSAN_OPTIONS", ""))
        self.outside = [finding for key, finding in _findings(report).items() if key not in self.blamed]
        if (self.outside or status == NOT_WATCHED) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist blamed on its tests."""
        output = getattr(node, "workeroutput", {})
        self.blamed |= {(fingerprint, line) for fingerprint, line in output.get("ftsan_blamed", ())}

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was watched, and show what no test can be blamed for."""
        if self.outside:
            terminalreporter.section("ftsan: outside of any test")
            for finding in self.outside:
                terminalreporter.write(_native.render(json.dumps(finding)))
        if self.summary:
            terminalreporter.section("ftsan")
            terminalreporter.write(self.summary)
