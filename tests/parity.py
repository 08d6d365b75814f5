"""``make parity``: the test suites of the libraries that are watched give the same results with and without ftsan.

``python -m tests.parity [SUITE ...]`` runs each suite once plainly and once under ``ftsan run`` and compares test by test.  A test
that differs is run again alone, both ways, up to twice: it is flaky if any of its outcomes is seen both ways, and different
otherwise.  Each finding is listed with the reason why the suite does that; one without a reason makes the run fail.
So does a test that differs, a suite that shrinks, a death by signal, and anything that could not be watched.

Sources and extra packages are kept in ``$FTSAN_CACHE/parity``, where ``work/`` has the logs and reports of the last run.  Nothing
is written in the repository.
"""

from __future__ import annotations

import argparse
import fcntl
import fnmatch
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests import obtained
from tests.conftest import PLAIN, ROOT

CACHE = obtained.CACHE / "parity"
REQUIREMENTS = ROOT / "tests" / "parity_requirements.txt"
#: Packages whose suites are run, and what these need.
SUITES_REQUIREMENTS = ROOT / "tests" / "suites_requirements.txt"
VERSIONS = dict(re.findall(r"^(\S+)==(\S+)$", SUITES_REQUIREMENTS.read_text().lower(), re.MULTILINE))

#: How often a test that differs is run again.
REPEATS = 2
#: A test that takes this many seconds more or less with ftsan is pointed out.
UNLIKE = 5
#: What happened to a test that is not among the results.
NOT_RUN = "not run"


@dataclass
class Outcome:
    """Of one test: what happened, and how long it took."""

    kind: str
    seconds: float


@dataclass
class Pass:
    """One run of a suite, or of a few of its tests."""

    outcomes: dict[str, Outcome]
    status: int
    seconds: float
    log: Path
    report: dict[str, Any] = field(default_factory=dict)

    def ended_early(self, at_least: int) -> bool:
        """Whether it died by a signal (its own, or ours because it took too long) or gave up."""
        return self.status < 0 or self.status > 128 or len(self.outcomes) < at_least

    def kind(self, test: str) -> str:
        """What happened to a test."""
        return self.outcomes[test].kind if test in self.outcomes else NOT_RUN


@dataclass
class Suite(ABC):
    """A test suite: how to obtain it and how to run it."""

    at_least: int
    """How many tests it has, roughly: running none of them would be parity, too."""
    tests: list[str]
    """The words that stand for all of it."""
    changes: dict[str, str] = field(default_factory=dict)
    """Argument that leaves something out or makes it steady (for Trial: pattern of tests that are left out) -> why."""
    options: list[str] = field(default_factory=list)
    """What ``ftsan run`` is asked for."""
    patience: int = 1200
    """If it takes longer than this many seconds, it hangs."""
    explained: dict[str, str] = field(default_factory=dict)
    """Rule, and file and function of a frame of the offending access ("FT101 */f.py:f", wildcards) -> why the suite does that."""

    def prepare(self) -> tuple[Path, dict[str, str]]:
        """Where it runs and in which environment."""
        return _fresh(CACHE / "work" / "cwd"), PLAIN

    @abstractmethod
    def command(self, results: Path, tests: list[str]) -> list[str]:
        """What the interpreter gets in order to run these tests."""

    @abstractmethod
    def read(self, results: Path) -> dict[str, Outcome]:
        """Test -> outcome.  A test goes by the word that runs it alone."""


class Regrtest(Suite):
    """Part of CPython's own tests.  Comes with the interpreter."""

    def command(self, results: Path, tests: list[str]) -> list[str]:
        single = [test for test in tests if test not in self.tests]
        files = dict.fromkeys([test for test in tests if test in self.tests] + [test.split(".")[1] for test in single])
        patterns = [word for test in single for word in ("-m", test)]
        return ["-m", "test", *files, *patterns, *self.changes, "--junit-xml", str(results)]

    def read(self, results: Path) -> dict[str, Outcome]:
        return {case.get("name", ""): _outcome(case) for case in ElementTree.parse(results).iter("testcase")}


@dataclass
class Pytest(Suite):
    """Tests from a source distribution: just those, so that the sources do not hide the installed package."""

    package: str = ""

    def prepare(self) -> tuple[Path, dict[str, str]]:
        return _tests_of(self.package), PLAIN | {"PYTHONPATH": str(_packages())}

    def command(self, results: Path, tests: list[str]) -> list[str]:
        options = ["-v", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "junit_family=xunit1", "--junit-xml", str(results)]
        return ["-m", "pytest", *options, *self.changes, *tests]

    def read(self, results: Path) -> dict[str, Outcome]:
        cases = ElementTree.parse(results).iter("testcase")
        return {_node_id(case): _outcome(case) for case in cases if case.get("file")}  # pytest's own errors have none


@dataclass
class OwnPackage(Pytest):
    """The suite of a package that is watched for data races: neither it nor what its tests need is among tests/requirements.txt."""

    files: str = r"tests/.*|pyproject\.toml"
    """Of the source distribution, as a regular expression.  Empty if the tests are part of the installed package."""
    older: str = ""
    """A file of requirements that take the place of newer ones."""

    def prepare(self) -> tuple[Path, dict[str, str]]:
        installed = obtained.packages(SUITES_REQUIREMENTS, CACHE)
        folder = obtained.sources(self.package, VERSIONS[self.package], CACHE, self.files) if self.files else installed
        older = [obtained.packages(ROOT / "tests" / self.older, CACHE)] if self.older else []
        return folder, PLAIN | {"PYTHONPATH": os.pathsep.join(map(str, [*older, installed, folder]))}

    def command(self, results: Path, tests: list[str]) -> list[str]:
        # pytest-asyncio, which is there for others, warns if nobody says it, and warnings are errors in most suites.
        return super().command(results, ["--rootdir=.", "-o", "asyncio_default_fixture_loop_scope=function", *tests])


def own_package(package: str, at_least: int, tests: str = "tests", **more: Any) -> OwnPackage:
    """The suite of a package, watched for data races in it."""
    return OwnPackage(at_least, [tests], package=package, options=["--races", package], **more)


class Trial(Suite):
    """Tests of Twisted.  They are part of the installed package (the same files as in its source distribution)."""

    def prepare(self) -> tuple[Path, dict[str, str]]:
        plugins = CACHE / "trial"
        (plugins / "twisted" / "plugins").mkdir(parents=True, exist_ok=True)
        (plugins / "twisted" / "plugins" / "parity_reporter.py").write_text(REPORTER)
        path = os.pathsep.join([str(_packages()), str(plugins)])
        return _fresh(CACHE / "work" / "cwd"), PLAIN | {"PYTHONPATH": path, "PARITY_LEFT_OUT": json.dumps(self.changes)}

    def command(self, results: Path, tests: list[str]) -> list[str]:
        return ["-m", "twisted.trial", "--reporter=parity", *tests]

    def read(self, results: Path) -> dict[str, Outcome]:
        lines = [line.split("\t") for line in results.read_text().splitlines()]
        return {test: Outcome(kind, float(seconds)) for test, kind, seconds in lines}


#: A plugin of Trial: its text reporters would have to be parsed between what the tests themselves print.
REPORTER = '''\
"""Written by ftsan's tests/parity.py.

Appends "test, outcome, seconds" to the file $PARITY_RESULTS, and skips the tests in $PARITY_LEFT_OUT (JSON, pattern -> reason).
"""

import fnmatch
import json
import os
import time

from twisted.plugin import IPlugin
from twisted.trial.itrial import IReporter
from twisted.trial.reporter import VerboseTextReporter
from zope.interface import implementer


LEFT_OUT = json.loads(os.environ["PARITY_LEFT_OUT"])


class Reporter(VerboseTextReporter):
    def startTest(self, test):
        super().startTest(test)
        self.kinds, self.began = set(), time.monotonic()
        for pattern, reason in LEFT_OUT.items():
            if fnmatch.fnmatchcase(test.id(), pattern):
                test.skip = reason

    def stopTest(self, test):
        super().stopTest(test)
        with open(os.environ["PARITY_RESULTS"], "a") as results:
            results.write(f"{test.id()}\\t{' '.join(sorted(self.kinds))}\\t{time.monotonic() - self.began}\\n")


def noting(method, kind):
    inherited = getattr(VerboseTextReporter, method)

    def add(self, *args, **kwargs):
        self.kinds.add(kind)
        inherited(self, *args, **kwargs)

    setattr(Reporter, method, add)


for method, kind in {
    "addSuccess": "ok",
    "addError": "error",
    "addFailure": "failure",
    "addSkip": "skipped",
    "addExpectedFailure": "expected failure",
    "addUnexpectedSuccess": "unexpected success",
}.items():
    noting(method, kind)


@implementer(IPlugin, IReporter)
class Plugin:
    name, module, description = "Parity", __name__, "for ftsan's tests/parity.py"
    longOpt, shortOpt, klass = "parity", None, "Reporter"
    stream = tbformat = args = shouldStop = separator = None


plugin = Plugin()
'''

WRONG_ON_PURPOSE = "calls a loop from a wrong thread on purpose, to see debug mode refuse it"

#: CPython's tests of what the injected library hooks.
DESCRIPTORS = [
    *["test_socket", "test_selectors", "test_epoll", "test_poll", "test_select", "test_os", "test_posix", "test_io", "test_pty"],
    *["test_ssl", "test_subprocess", "test_fork1", "test_faulthandler", "test_signal", "test_eintr", "test_threading"],
    *["test_concurrent_futures", "test_multiprocessing_main_handling"],
]

#: CPython's tests of the standard library as a whole, watched for data races.
LIBRARY = [
    *["test_functools", "test_dataclasses", "test_json", "test_queue", "test_collections", "test_contextlib", "test_generators"],
    *["test_patma", "test_coroutines", "test_asyncgen", "test_exceptions", "test_typing", "test_pickle", "test_inspect"],
    *[
        "test_traceback",
        "test_asyncio",
        "test_threading",
        "test_concurrent_futures",
        "test_code",
        "test_sys",
        "test_free_threading",
    ],
]
PROCESS_EACH = {"-j2": "each file has a process of its own: what dies takes no other along"}

SUITES: dict[str, Suite] = {
    "descriptors": Regrtest(
        3300,
        DESCRIPTORS,
        changes=PROCESS_EACH
        | {
            "-uwalltime": "test_eintr skips itself without",
            "--ignore=test_vfork_used_when_expected": "skips itself if anything is preloaded",
        },
        explained={
            "FT201 */test_ssl.py:AsyncoreEchoServer.stop": "closes its listening socket while its thread selects on it",
        },
    ),
    "stdlib": Regrtest(
        7000,
        LIBRARY,
        changes=PROCESS_EACH
        | {"--ignore=test_getallocatedblocks": "counts blocks of memory: some of our start-up's are freed late"},
        options=["--races", "all"],
        patience=2400,
        explained={
            "FT101 */test_base_events.py:BaseEventLoopTests.check_thread": WRONG_ON_PURPOSE,
            "FT408 */test_deadlock.py:_raise_error_ignore_stderr": (
                "is unpickled by the manager's thread, where it replaces sys.stderr while the test captures it"
            ),
            "FT40? */multiprocessing/popen_*.py:Popen.poll": (
                "the thread of a pool and whoever else polls its processes may both do so: an exit code is lost to a 255"
            ),
            "FT4?? */test_free_threading/*": "races on purpose, and looks whether the interpreter survives it",
            "FT402 */test_queue.py:*._write_msg_thread": "asks whether the queue is shut down, and shuts it down twice at worst",
            "FT404 */tempfile.py:_RandomNameSequence.rng": "threads that come first make a generator of names each: any will do",
            "FT40? */linecache.py:*cache": "fills its cache without a lock: what a thread overwrites or takes out is read again",
            "FT402 */encodings/__init__.py:search_function": "threads that ask for a codec first find it each: any will do",
        },
    ),
    "asyncio": Regrtest(
        2000,
        ["test_asyncio"],
        explained={"FT101 */test_base_events.py:BaseEventLoopTests.check_thread": WRONG_ON_PURPOSE},
    ),
    "uvloop": Pytest(
        500,
        ["tests"],
        package="uvloop",
        changes={
            "--ignore=tests/test_sourcecode.py": "runs flake8 and mypy on uvloop's own sources",
        },
        explained={
            "FT101 */tests/test_base.py:_TestBase.test_check_thread.*": WRONG_ON_PURPOSE,
            "FT401 <string>:job": "two threads of a pool count without a lock, to keep both busy",
            "FT502 */tests/test_tcp.py:_TestSSL.*.client": "the server waits for a lock that the client holds across an await",
        },
    ),
    "anyio": Pytest(
        4500,
        ["tests"],
        package="anyio",
        changes={
            "--deselect=tests/test_lazyimport.py::test_sourceless_install": "installs anyio from its sources, which are not here",
            "--deselect=tests/test_sockets.py::test_getaddrinfo[": "needs the Internet",
            # Where localhost is not ::1, the IPv6 tests fail and leave sockets to be found during any later test.
            "--timeout=120": "the 20 s that a test has are not enough on a busy machine",
            "-Wdefault::pytest.PytestUnraisableExceptionWarning": "what is never closed fails whichever test the collector runs in",
        },
    ),
    "flask": own_package("flask", 400, older="suites_pytest_requirements.txt"),
    "werkzeug": own_package(
        "werkzeug",
        900,
        changes={"-mnot dev_server": "gives its servers a path on which only what is installed in the environment is found"},
    ),
    "urllib3": own_package(
        "urllib3",
        1700,
        "test",
        files=r"(test|dummyserver)/.*|pyproject\.toml",
        changes={
            "-mnot requires_network": "needs the Internet",
            "--ignore=test/contrib": "emscripten, and what test_https.py has",
            "--ignore=test/with_dummyserver/test_https.py": "needs urllib3's own hypercorn, which PyPI does not have",
            "--ignore=test/with_dummyserver/test_socketlevel.py": "sleeps for minutes",
            "--timeout=120": "the servers are threads that may wait for ever",
        },
    ),
    "trio": own_package(
        "trio",
        800,
        "trio",
        files="",
        changes={
            "-ptrio._tests.pytest_plugin": "its tests are asynchronous",
            "--skip-optional-imports": "what checks and formats sources is not here",
        },
    ),
    "cheroot": own_package(
        "cheroot", 150, "cheroot/test", files="", changes={"-pcheroot.test._pytest_plugin": "marks tests that are known to fail"}
    ),
    "starlette": own_package("starlette", 1300),
    "httpx": own_package("httpx", 1300),
    "aiologic": own_package("aiologic", 100),
    "culsans": own_package("culsans", 100),
    # twisted.test has the older half of the tests of twisted.internet and twisted.protocols.
    "twisted": Trial(
        4500,
        ["twisted.internet", "twisted.protocols", "twisted.test", "twisted._threads"],
        changes={
            "*.test_spawnProcessEarlyIsReaped": "takes 120 s, also without ftsan, if another thread gets SIGCHLD",
            "twisted.test.test_logfile.LogFileTests.test_cantChangeFileMode": "makes /dev/null read-only if it is run by root",
        },
    ),
}


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _packages() -> Path:
    """Folder of what the suites need beyond tests/requirements.txt."""
    return obtained.packages(REQUIREMENTS, CACHE)


def _tests_of(package: str) -> Path:
    """Folder with tests and pyproject.toml from the source distribution of what is installed."""
    return obtained.sources(package, version(package), CACHE, r"tests/.*|pyproject\.toml")


def _outcome(case: ElementTree.Element) -> Outcome:
    kinds = sorted(child.tag for child in case if child.tag in ("failure", "error", "skipped"))
    return Outcome(" ".join(kinds) or "ok", float(case.get("time") or 0))


def _node_id(case: ElementTree.Element) -> str:
    file = case.get("file", "")
    classes = case.get("classname", "").removeprefix(file.removesuffix(".py").replace("/", ".")).split(".")
    return "::".join([file, *filter(None, classes), case.get("name", "")])


def run(name: str, suite: Suite, label: str, tests: list[str], cache: Path) -> Pass:
    """Run tests, with ftsan if the label says so; logs and results go to the folder ``work`` of the cache."""
    cwd, environment = suite.prepare()
    work = cache / "work"
    results, report, log = (work / f"{name}-{label}.{what}" for what in ("results", "json", "log"))
    for left_over in (results, report):
        left_over.unlink(missing_ok=True)
    watch = ["-m", "ftsan", "run", *suite.options, "--report-json", str(report)] if label.startswith("ftsan") else []
    command = [sys.executable, *watch, *suite.command(results, tests)]
    began = time.monotonic()
    with log.open("w") as output:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment | {"PARITY_RESULTS": str(results)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that nothing of it is left if it hangs
        )
        try:
            status = child.wait(suite.patience)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    try:
        outcomes = suite.read(results)
    except OSError, ElementTree.ParseError:
        outcomes = {}
    findings = json.loads(report.read_text()) if report.exists() else {}
    return Pass(outcomes, status, time.monotonic() - began, log, findings)


def _again(name: str, suite: Suite, differing: list[str], first: tuple[Pass, Pass]) -> int:
    """Run again what differs and say how it went; returns how many do differ."""
    seen = {test: ([first[0].kind(test)], [first[1].kind(test)]) for test in differing}

    def agree(test: str) -> bool:
        plain, watched = seen[test]
        return bool(set(plain) & set(watched) - {NOT_RUN})

    for repeat in range(1, REPEATS + 1):
        undecided = [test for test in differing if not agree(test)]
        if not undecided:
            break
        for side, label in enumerate(("plain", "ftsan")):
            again = run(name, suite, f"{label}-again-{repeat}", undecided, CACHE)
            for test in undecided:
                seen[test][side].append(again.kind(test))
    for test, (plain, watched) in seen.items():
        verdict = "flaky" if agree(test) else "different"
        print(f"  {verdict}: {test}: {', '.join(plain)} without, {', '.join(watched)} with ftsan")
    return sum(not agree(test) for test in differing)


def innermost(access: dict[str, Any]) -> str:
    """Where an access was made."""
    frame = next(iter(access["stack"]), {"file": "?", "line": 0, "function": "?"})
    return f"{frame['file']}:{frame['line']} in {frame['function']}"


def print_groups(groups: dict[str, list[str]]) -> None:
    """Print findings, a line each, by what is said of them."""
    for said, lines in groups.items():
        print(f"  {len(lines)} findings, {said}")
        print("".join(f"    {line}\n" for line in lines), end="")


def list_findings(suite: Suite, report: dict[str, Any]) -> int:
    """One line per finding, by the reason for it; returns how many have none."""
    lines: dict[str, list[str]] = {}
    unsure = 0
    for finding in report.get("findings", []):
        if finding["severity"] == "info":
            unsure += 1
            continue
        accesses = sorted(finding["accesses"], key=lambda access: access["role"] != "offending")
        # All of it: CPython's tests are part of the standard library themselves.
        places = [f"{finding['rule']} {each['file']}:{each['function']}" for access in accesses[:1] for each in access["stack"]]
        reason = next((why for pattern, why in suite.explained.items() if fnmatch.filter(places, pattern)), "")
        where = " against ".join(map(innermost, accesses[:2]))
        lines.setdefault(reason, []).append(f"{finding['rule']} {finding['title']} ({finding['count']} times): {where}")
    print_groups({f"explained: {reason}" if reason else "NOT EXPLAINED": found for reason, found in lines.items()})
    if unsure:
        print(f"  {unsure} findings of severity info")
    return len(lines.get("", []))


def parity(name: str, suite: Suite) -> bool:
    """Run a suite both ways and say how they compare; returns whether all is well."""
    plain, watched = (run(name, suite, label, suite.tests, CACHE) for label in ("plain", "ftsan"))
    differing = [test for test in sorted(plain.outcomes.keys() | watched.outcomes.keys()) if plain.kind(test) != watched.kind(test)]
    print(f"{name}: {len(plain.outcomes)} tests without, {len(watched.outcomes)} with ftsan, {len(differing)} differ")
    passed = sum(outcome.kind == "ok" for outcome in plain.outcomes.values())
    print(f"  {passed} pass without ftsan; {plain.seconds:.0f} s without, {watched.seconds:.0f} s with ftsan")
    for argument, reason in suite.changes.items():
        print(f"  {argument}: {reason}")
    complete = True
    for one in (plain, watched):
        if one.ended_early(suite.at_least):
            complete = False
            print(f"  ended with status {one.status}; the last lines of {one.log}:")
            print("".join(f"    {line}\n" for line in one.log.read_text(errors="replace").splitlines()[-20:]))
    well = complete and _again(name, suite, differing, (plain, watched)) == 0
    for test in sorted(plain.outcomes.keys() & watched.outcomes.keys()):
        without, with_ftsan = plain.outcomes[test].seconds, watched.outcomes[test].seconds
        if abs(with_ftsan - without) > UNLIKE:
            print(f"  takes unlike time: {test}: {without:.1f} s without, {with_ftsan:.1f} s with ftsan")
    facts = watched.report.get("watched", {})
    print("  watched: " + ", ".join(f"{count} {what}" for what, count in facts.items() if isinstance(count, int)))
    for reason in facts.get("off", []):
        print(f"  off: {reason}")
    return list_findings(suite, watched.report) == 0 and well and facts.get("processes", 0) > 0 and not facts["off"]


def main() -> int:
    """Run the suites; returns 0 if they agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__.split("\n\n")[0])
    parser.add_argument("suite", nargs="*", help=f"of: {', '.join(SUITES)}; all if none is named")
    chosen = parser.parse_args().suite or list(SUITES)
    if unknown := set(chosen) - set(SUITES):
        parser.error(f"no such suite: {', '.join(unknown)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is in a session of its own, and is to end, too
    CACHE.mkdir(parents=True, exist_ok=True)
    null = stat.S_IMODE(os.stat(os.devnull).st_mode)
    try:
        with (CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the suites of two runs would disturb each other
            _fresh(CACHE / "work")
            agree = [parity(name, SUITES[name]) for name in chosen]
    finally:
        if stat.S_IMODE(os.stat(os.devnull).st_mode) != null:  # Twisted's tests, run by root, make it read-only
            os.chmod(os.devnull, null)
    return int(not all(agree))


if __name__ == "__main__":
    sys.exit(main())
