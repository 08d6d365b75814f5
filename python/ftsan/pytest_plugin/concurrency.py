"""``ftsan_concurrent`` and ``--ftsan-concurrent``: a test's body by several threads at once, on the same fixtures.

Threads start together from a barrier and are then held up by a little, differently each: by the seed, which the summary shows.
Between them is no order but what the test and the code under test make.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from .. import _native, findings_by_test
from . import eligible, markers

#: Most seconds that a thread is held up at its start.
LONGEST = 0.002

#: Name of the plug-in that is there where several threads are to run a body.
BODIES = "ftsan-bodies"

#: Name of the fixture that tells copies of a test apart.
COPY = "ftsan_copy"


class Copy:
    """One of the copies that a test is run as."""

    def __init__(self, threads: int, turn: int) -> None:
        #: How many threads run its body at once.
        self.threads = threads
        #: Which of the repetitions, from 0.
        self.turn = turn


def copy_of(item: pytest.Item) -> Copy | None:
    """Which copy this is; ``None`` for a test that there is once."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(COPY) if callspec is not None else None


class Concurrency:
    """Makes the copies, and runs those that several threads run."""

    def __init__(self, config: pytest.Config) -> None:
        self.threads: int = config.getoption("ftsan_concurrent")
        self.turns: int = config.getoption("ftsan_repeat")
        self.seed = int(config.getoption("ftsan_seed") or 0)
        self.is_parallel = bool(config.getoption("parallel_threads", 1) not in (1, "1"))
        #: How many tests were run by how many threads.
        self.ran: dict[int, int] = {}
        #: Why tests were left out: names by reason.
        self.left_out: dict[str, list[str]] = {}

    @pytest.fixture
    def ftsan_copy(self, request: pytest.FixtureRequest) -> Copy:
        """Which copy of the test this is."""
        copy: Copy = request.param
        return copy

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make the copies that the options ask for."""
        if self.threads == self.turns == 1:
            return
        marks = {mark.name: mark for mark in reversed([*metafunc.definition.iter_markers()])}
        is_twice = self.threads > 1 and "ftsan_concurrent" not in marks and not self.is_parallel
        own_names = metafunc.definition._fixtureinfo.argnames
        is_twice = is_twice and not eligible.why_not(metafunc.function, own_names, metafunc.fixturenames, marks)
        copies = [Copy(threads, turn) for turn in range(self.turns) for threads in ((1, self.threads) if is_twice else (1,))]
        if len(copies) > 1:
            metafunc.fixturenames.append(COPY)
            metafunc.parametrize(COPY, copies, indirect=True, ids=[self._id(copy) for copy in copies])

    def _id(self, copy: Copy) -> Any:
        turn = f"{copy.turn + 1}-of-{self.turns}" if self.turns > 1 else ""
        threads = f"{copy.threads}-threads" if copy.threads > 1 else ""
        return "-".join(filter(None, [threads, turn])) or pytest.HIDDEN_PARAM

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the markers (wrong ones end the run), and note which tests are left out, and why."""
        marked = markers.read(session.items)
        plugins = session.config.pluginmanager
        if (self.threads > 1 or "ftsan_concurrent" in marked) and not plugins.has_plugin(BODIES):
            plugins.register(Bodies(self), BODIES)
        if self.threads > 1:
            for item in session.items:
                copy = copy_of(item)
                if markers.policy_of(item).threads is None and (copy is None or copy.turn == 0):
                    reason = "pytest-run-parallel runs it" if self.is_parallel else eligible.why_not_item(item)
                    if reason:
                        self.left_out.setdefault(reason, []).append(item.nodeid)


class Bodies:
    """Runs the bodies that several threads are to run."""

    def __init__(self, concurrency: Concurrency) -> None:
        self.concurrency = concurrency

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> object | None:
        """Run the body, if several threads are to."""
        marked, copy = markers.policy_of(pyfuncitem).threads, copy_of(pyfuncitem)
        threads = marked if marked is not None else copy.threads if copy is not None else 1
        if threads == 1:
            return None
        if reason := eligible.why_not_item(pyfuncitem):
            self.concurrency.left_out.setdefault(reason, []).append(pyfuncitem.nodeid)
            if marked is None:
                pytest.skip(f"not by several threads: {reason}")
            return None
        self.concurrency.ran[threads] = self.concurrency.ran.get(threads, 0) + 1
        seed = f"{self.concurrency.seed + (copy.turn if copy is not None else 0)}:{pyfuncitem.nodeid}"
        raised = run_body(pyfuncitem, threads, seed)
        if raised and marked is None and _is_for_one(pyfuncitem, raised):
            news = findings_by_test.take()
            findings_by_test.give_back(news)
            if news:
                return True  # it fails for that
            reason = "what it asserts holds for one thread alone"
            self.concurrency.left_out.setdefault(reason, []).append(pyfuncitem.nodeid)
            pytest.skip(reason)
        if raised:
            real = [error for error in raised if not isinstance(error, pytest.skip.Exception)]
            error = (real or raised)[0]
            if real:
                error.add_note(f"ftsan: raised in {len(real)} of {threads} threads (seed {self.concurrency.seed})")
            raise error
        return True


class HeldUp:
    """Has ``--ftsan-perturb`` hold up a test, and not pytest, in the same way whatever ran before it."""

    def __init__(self) -> None:
        _native.begin_strand("")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Name what is held up."""
        return (yield from _held_up(item, "setup"))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """The same."""
        return (yield from _held_up(item, "call"))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """The same."""
        return (yield from _held_up(item, "teardown"))


def _held_up(item: pytest.Item, phase: str) -> Generator[None, object, object]:
    _native.begin_strand(f"{item.nodeid} {phase}")
    try:
        return (yield)
    finally:
        _native.begin_strand("")


def run_body(item: pytest.Function, threads: int, seed: str) -> list[BaseException]:
    """Run the body of a test by so many threads at once; returns what was raised."""
    barrier = threading.Barrier(threads)
    raised: list[BaseException | None] = [None] * threads

    def run(number: int, delay: float, arguments: dict[str, Any]) -> None:
        barrier.wait()
        if delay:
            time.sleep(delay)
        try:
            item.obj(**arguments)
        except BaseException as error:
            raised[number] = error

    draw = random.Random(seed)
    # One begins at once; whoever is late meets what the others have left.
    delays = [0.0, *(draw.choice([0.0, draw.uniform(0, LONGEST / 20), draw.uniform(0, LONGEST)]) for _ in range(threads - 1))]
    draw.shuffle(delays)
    workers = [
        threading.Thread(target=run, args=(number, delay, _arguments(item, number)), name=f"{item.originalname} #{number + 1}")
        for number, delay in enumerate(delays)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [error for error in raised if error is not None]


def _arguments(item: pytest.Function, number: int) -> dict[str, Any]:
    """The fixtures of a thread: the same ones for all, but for a folder of its own in ``tmp_path``."""
    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
    folder = arguments.get("tmp_path")
    if isinstance(folder, Path):
        own = folder / f"thread-{number + 1}"
        own.mkdir()
        arguments["tmp_path"] = own
    return arguments


def _is_for_one(item: pytest.Function, raised: list[BaseException]) -> bool:
    """Whether nothing went wrong but what the test itself asserts: it was written for one thread."""
    return all(isinstance(error, AssertionError) and _last_file(error) == str(item.path) for error in raised)


def _last_file(error: BaseException) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_filename if traceback is not None else ""
