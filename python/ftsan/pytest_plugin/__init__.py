"""``pytest --ftsan``: the test during which a misuse happens fails, whichever thread did it.

The process is watched from the first conftest on.  Workers of pytest-xdist and processes that tests start are watched through the
environment and report into the same file; a finding that cannot be blamed on a test fails the run.

| module | concern |
|---|---|
| ``project`` | which installed packages are the project under test |
| ``markers``, ``eligible`` | what tests say of themselves, and which several threads may run |
| ``concurrency`` | a test's body by several threads at once; repetitions |
| ``blame`` | which test a finding is blamed on |
| ``shown`` | what a test's report shows of it |
| ``workers`` | why a worker of pytest-xdist has died |
| ``session`` | the last words and the status |
"""

import argparse
import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from .. import _native

PREFIX = "ftsan_"


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
    several = "run each test once more, its body by N threads at once on the same fixtures; what may not be is left out, and said"
    group.addoption("--ftsan-concurrent", dest="ftsan_concurrent", metavar="N", type=_number(256), default=1, help=several)
    again = "run each test N times, with other delays of the threads of --ftsan-concurrent, and say in how many something was found"
    group.addoption("--ftsan-repeat", dest="ftsan_repeat", metavar="N", type=_number(10_000), default=1, help=again)


def _number(most: int) -> type[int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'"{text}" is not a number from 1 to {most}')
        return int(text)

    return number  # type: ignore[return-value]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start watching before anything of the project is imported."""
    _enable(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start watching if that was not possible earlier (``-p ftsan.pytest_plugin``), and blame findings on tests."""
    with _as_they_are():
        from .markers import MARKERS

    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    _enable(config)
    if config.known_args_namespace.ftsan:
        from .blame import Blame
        from .concurrency import Concurrency, HeldUp
        from .session import LastWords, Session

        begun = _begun.get(config.rootpath)
        concurrency = Concurrency(config)
        blame = Blame(config, concurrency)
        plugins: dict[str, Any] = {"concurrency": concurrency, "blame": blame}
        dead: dict[str, Any] = {}
        if begun is not None and config.getoption("dist", "no") != "no":  # pytest-xdist's; it has set it before
            from .workers import Workers

            plugins["workers"] = workers = Workers(config, begun.scratch, begun.report, begun.crash_dir)
            dead = workers.dead
        if any(option.startswith("perturb=") for option in os.environ.get("FTSAN_OPTIONS", "").split(":")):
            plugins["held-up"] = HeldUp()
        session = Session(config, blame, begun.project if begun else set(), dead)
        for name, plugin in (plugins | {"session": session, "words": LastWords(session)}).items():
            config.pluginmanager.register(plugin, f"ftsan-{name}")


@contextmanager
def _as_they_are() -> Iterator[None]:
    """Import modules without pytest, which would rewrite their asserts and read the result ten times as slowly as Python does.

    As long as a process is watched, our modules are found without it anyway (``watch.on_import``).
    """
    finders = [*sys.meta_path]
    sys.meta_path[:] = [finder for finder in finders if not isinstance(finder, AssertionRewritingHook)]
    try:
        yield
    finally:
        added = [finder for finder in sys.meta_path if finder not in finders]
        sys.meta_path[:] = [*added, *finders]


class Begun:
    """What this process has begun to watch, and nobody above it.  A ``NamedTuple`` would take ten times as long to make."""

    def __init__(self, project: set[str], scratch: str, report: str, crash_dir: str | None) -> None:
        #: Import names of the project under test.
        self.project = project
        #: Folder of temporary files.
        self.scratch = scratch
        #: The report.
        self.report = report
        #: Where crash folders are kept, if an option says.
        self.crash_dir = crash_dir


#: By the root of the tests.
_begun: dict[os.PathLike[str], Begun] = {}


def _enable(config: pytest.Config) -> None:
    options = config.known_args_namespace
    if not options.ftsan or hasattr(config, "workerinput"):
        return
    with _as_they_are():
        from .. import process
        from ..env import unsupported
        from .project import packages_of
    if process.is_enabled():
        return
    reason = unsupported()
    if reason:
        raise pytest.UsageError(f"--ftsan: {reason}")
    given = {}
    for key, _, _, _, public in _native.options():
        text = getattr(options, PREFIX + key) if public else None
        if text is not None:
            given[key] = text
    try:
        given = _native.configured(given)
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--ftsan: {error}") from None
    scratch = tempfile.mkdtemp(prefix="ftsan-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)  # runs after the last words, which are registered later
    given.setdefault("report_json", os.path.join(scratch, "report.json"))
    project = packages_of(config.rootpath)
    _begun[config.rootpath] = Begun(project, scratch, given["report_json"], given.get("crash_dir"))
    text = _native.encode_options(given | {"text": "none", "project": ",".join(sorted(project))})
    try:
        _native.check_options(text)
        _native.check_formats(text)
        _native.start_report(given["report_json"])
        process.enable(text)
    except (ValueError, OSError, RuntimeError) as error:
        raise pytest.UsageError(f"--ftsan: {error}") from None
    before = {name: os.environ.get(name) for name in ("FTSAN", "FTSAN_OPTIONS", "FTSAN_RECORDING")}
    os.environ.update(FTSAN="1", FTSAN_OPTIONS=text)
    config.add_cleanup(lambda: _restore(before))


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
