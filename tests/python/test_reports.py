"""The contents of a report beyond its lines."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import PLAIN, ROOT, Ftsan

LIBRARY_TASK = """
import asyncio, contextlib, threading

async def main():
    future = asyncio.get_running_loop().create_future()

    async def elsewhere():
        task = asyncio.create_task(asyncio.wait_for(future, 1))
        with contextlib.suppress(RuntimeError):
            await task

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    await asyncio.to_thread(thread.join)
    future.cancel()

asyncio.run(main())
"""

HOSTILE = """
import asyncio, threading

class Touchy(asyncio.Future):
    def __repr__(self): print("repr ran")
    def done(self): print("done ran")
    def __getattribute__(self, name):
        if name not in ("set_result", "_asyncio_future_blocking"): print("asked for", name)
        return super().__getattribute__(name)

class TouchyTask(asyncio.Task):
    def get_name(self): print("get_name ran")
    def get_coro(self): print("get_coro ran")

async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coro, **kwargs: TouchyTask(coro, loop=loop, **kwargs))
    future = Touchy()
    asyncio.create_task(asyncio.sleep(60))
    thread = threading.Thread(target=lambda: future.set_result(1))
    thread.start()
    await asyncio.to_thread(thread.join)

loop = asyncio.new_event_loop()
task = loop.create_task(main())
task.add_done_callback(lambda _: loop.stop())
loop.run_forever()
"""

MADE_BY_TWO = """
import asyncio, threading

async def main():
    loop = asyncio.get_running_loop()
    def make(): return loop.create_future()
    def one(): return make()
    def other(): return make()
    *_, made = [(one(), other()) for _ in range(3)]
    def settle():
        made[0].set_result(None)
        made[1].set_result(None)
    thread = threading.Thread(target=settle)
    thread.start()
    await asyncio.to_thread(thread.join)

asyncio.run(main())
"""

FOUND_EARLY = """
from ftsan.testing import in_turns

class Plugin:
    pass

plugins = {}

def load():
    plugin = Plugin()
    plugins["a"] = plugin
    plugin.hooks = []

def use():
    plugin = plugins.get("a")
    if plugin is not None:
        plugin.hooks

in_turns(load, use)
"""

UPDATED = """
from collections import Counter
from ftsan.testing import in_turns

total = Counter()

def hit():
    list(map(total.update, ["a"]))

in_turns(hit, hit)
"""

NAMED = """
import threading
import types

registry = {}
library = types.ModuleType("library")
library.known, library.rows = {}, [{}]

class Plain:
    pass

plain = Plain()

class Cache:
    shared = {}
    __slots__ = ("own",)

    def __init__(self):
        self.own = {}
        self.fill()

    def fill(self):
        registry["a"] = registry.get("a", 0) + 1
        library.known["b"] = library.known.get("b", 0) + 1
        self.shared["c"] = self.shared.get("c", 0) + 1
        self.own["d"] = self.own.get("d", 0) + 1
        plain.__dict__["f"] = plain.__dict__.get("f", 0) + 1
        [first] = library.rows
        first["e"] = first.get("e", 0) + 1

def work():
    turns.wait()
    cache.fill()
    Cache()

cache = Cache()
turns = threading.Barrier(2)
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_a_call_made_by_a_task_of_asyncio_itself_leads_to_where_the_task_was_created(ftsan: Ftsan) -> None:
    run = ftsan("-c", LIBRARY_TASK)
    assert run.rules == ["FT104"]
    stack = run.findings[0]["accesses"][0]["stack"]
    assert (stack[0]["function"], stack[0]["line"]) == ("main.<locals>.elsewhere", 8)
    links = [(frame["via"], frame["function"]) for frame in stack if frame.get("via")]
    assert links == [("what was given there is called at", "wait_for")]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "fires_one_run_after_the_other",
            {
                "StreamReader.readline() called although its loop was closed",
                "Queue.get() called although it is bound to a loop that was closed",
                "Future awaited although it is bound to a loop that was closed",
                "_UnixSelectorEventLoop.call_later() called after the loop had been closed",
            },
        ),
        (
            "fires_kept_for_another_run",
            {
                "Lock.acquire() called although it is bound to a loop that was closed",
                "Event.wait() called although it is bound to a loop that was closed",
                "wait_for() called although its Future is bound to a loop that was closed",
                "gather() called although its Future is bound to a loop that was closed",
                "_UnixSelectorEventLoop.run_in_executor() called after the loop had been closed",
            },
        ),
    ],
)
def test_what_is_bound_to_a_closed_loop_is_named(ftsan: Ftsan, program: str, expected: set[str]) -> None:
    run = ftsan(ROOT / "tests" / "programs" / "FT110" / f"{program}.py")
    assert {finding["title"].replace(" in thread 'MainThread'", "") for finding in run.findings} == expected
    of_loops = [finding for finding in run.findings if "Loop." in finding["title"]]
    assert all(finding["fix"].startswith("ask for the loop where it is used") for finding in of_loops)


def test_two_owners_of_a_number_are_told_apart_and_a_number_that_was_another_file_is_not_theirs(ftsan: Ftsan) -> None:
    def told(rule: str, program: str) -> list[tuple[str, str]]:
        run = ftsan(ROOT / "tests" / "programs" / rule / f"{program}.py")
        titles = [re.sub(r" in thread '[^']*'|^\w+ \d+ ", "", finding["title"]) for finding in run.findings]
        return list(zip(titles, [finding["fix"].partition(" ")[0] for finding in run.findings], strict=True))

    assert told("FT206", "fires_two_owners") == [
        ("of thread 'MainThread', which closes it by its object, closed by its number", "let"),
        ("closed by its number after thread 'MainThread' had closed it by its object", "let"),
        ("closed by another object after thread 'MainThread' had closed it by one object", "let"),
    ]
    assert told("FT206", "fires_somebody_elses") == [("of thread 'Thread-1 (victim)' closed, which had not opened it", "take")]


def test_nothing_is_said_of_what_a_number_was_that_was_opened_unseen(ftsan: Ftsan) -> None:
    [finding] = ftsan(ROOT / "tests" / "programs" / "FT201" / "fires_opened_unseen.py").findings
    assert (finding["title"].partition(" ")[0], finding["object"]["type"]) == ("descriptor", "a descriptor")
    assert "created" not in [access["role"] for access in finding["accesses"]]


def test_two_objects_that_one_function_makes_for_two_others_are_told_apart(ftsan: Ftsan) -> None:
    run = ftsan("-c", MADE_BY_TWO)
    assert set(run.rules) == {"FT102"}, run.stderr
    accesses = [access for finding in run.findings for access in finding["accesses"] if access["role"] == "created"]
    makers = [[frame["function"] for frame in access["stack"] if frame["function"].startswith("main")] for access in accesses]
    assert makers == [["main.<locals>.make", f"main.<locals>.{name}", "main"] for name in ("one", "other")], run.stderr


def test_no_code_of_the_program_runs_to_make_a_report(ftsan: Ftsan) -> None:
    plain = subprocess.run([sys.executable, "-c", HOSTILE], env=PLAIN, capture_output=True, text=True, check=True)
    run = ftsan("-c", HOSTILE)
    assert (run.rules, run.stdout) == (["FT102"], plain.stdout)


def test_containers_go_by_the_names_that_the_code_has_for_them(ftsan: Ftsan) -> None:
    run = ftsan("-c", NAMED)
    names = {finding["title"].partition(":")[0] for finding in run.by_location}
    attributes = {"Cache.shared['c']", "Cache.own['d']", "Plain.__dict__['f']"}
    assert names == {"__main__.registry['a']", "library.known['b']", "library.rows[0]['e']"} | attributes


def test_what_is_found_too_early_goes_by_the_name_of_the_container_that_it_is_in(ftsan: Ftsan) -> None:
    [title] = [finding["title"] for finding in ftsan("-c", FOUND_EARLY).findings if finding["rule"] == "FT406"]
    assert title.endswith("; 'plugins', which says that it is there, was set first")


def test_what_the_standard_library_is_given_goes_by_the_name_that_the_program_has_for_it(ftsan: Ftsan) -> None:
    [finding] = ftsan("-c", UPDATED).findings
    assert finding["title"].startswith("Counter __main__.total: update in thread"), finding["title"]


def test_frames_that_no_traceback_shows_are_not_in_a_stack(ftsan: Ftsan) -> None:
    frames = [frame for finding in ftsan("-c", NAMED).findings for access in finding["accesses"] for frame in access["stack"]]
    assert {frame["function"] for frame in frames if frame["line"] == 0} == set()
    assert "Cache.__init__" in {frame["function"] for frame in frames}


def test_threads_have_their_names_before_threading_knows_them(ftsan: Ftsan) -> None:
    code = """
import threading
total = 0
class Counter(threading.Thread):
    def run(self):
        global total
        total += 1
threads = [Counter(name=f"counter {number}") for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    run = ftsan("--races", "all", "--strict", "-c", code)
    names = {access["thread"]["name"] for finding in run.findings for access in finding["accesses"]}
    assert names
    assert names <= {"counter 0", "counter 1", "counter 2"}


def test_the_owner_is_shown_in_several_states_if_it_was_seen_in_several(ftsan: Ftsan) -> None:
    code = """
import asyncio, threading, time
async def main():
    loop = asyncio.get_running_loop()
    go = True
    def worker():
        while go:
            loop.call_soon(int)
            time.sleep(0.001)
    thread = threading.Thread(target=worker)
    thread.start()
    for _ in range(10):
        await asyncio.sleep(0.02)
        time.sleep(0.02)
    go = False
    await asyncio.to_thread(thread.join)
asyncio.run(main())
"""
    run = ftsan("-c", code)
    owners = [access for access in run.findings[0]["accesses"] if access["role"] == "owner"]
    assert 1 < len(owners) <= 4


# With the GIL a thread that writes the report is more often in the middle of that.
@pytest.mark.parametrize("environment", [{}, {"PYTHON_GIL": "1"}], ids=["as it is", "with the GIL"])
def test_forking_while_other_threads_report_does_not_hang(ftsan: Ftsan, environment: dict[str, str]) -> None:
    # Imported before the first fork: of handlers that are registered during one, CPython runs the second half alone.
    code = """
import asyncio, concurrent.futures.thread, os, threading, time
end = time.monotonic() + 3
async def main():
    loop = asyncio.get_running_loop()
    def misuse():
        while time.monotonic() < end:
            space = {}
            exec("\\n" * int(time.monotonic() * 1e6 % 500) + "def f(loop): loop.create_future()", space)
            space["f"](loop)
    def fork():
        while time.monotonic() < end:
            pid = os.fork()
            if pid == 0:
                try:
                    asyncio.run(asyncio.sleep(0))
                finally:
                    os._exit(0)
            os.waitpid(pid, 0)
    threads = [threading.Thread(target=target) for target in (misuse, misuse, fork)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
asyncio.run(main())
print("done")
"""
    run = ftsan("-c", code, env=environment)
    # The children have a loop that the main thread ran, which is worth knowing.
    assert (run.status, run.stdout, set(run.rules)) == (66, "done\n", {"FT101", "FT603"})
