"""Reports call locks what the program calls them: the attribute, the element or the variable that holds them, and no addresses."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.conftest import Ftsan

HEAD = """\
import asyncio, contextlib, threading, types, weakref
from collections import deque
from threading import Condition, Lock, RLock

class Store:
    def __init__(self):
        self.first, self.second = Lock(), Lock()
        self.by_name = {"a": Lock(), "b": Lock()}
        self.both = (Lock(), Lock())
        self.queue = deque([Lock(), Lock()])
        self.nested = {"g": {"x": Lock(), "y": Lock()}}
        self.space = types.SimpleNamespace(x=Lock(), y=Lock())
        self.ready, self.done = Condition(), Condition()
        self.kept = [RLock(), RLock()]
        self.weak = weakref.WeakValueDictionary(zip("ab", self.kept))
    def get(self, name):
        return self.by_name[name]
    def begin(self):
        self.first.acquire()
    def end(self):
        self.first.release()
    def deep(self, depth, then):
        self.deep(depth - 1, then) if depth else then()

class Guard:
    def __init__(self):
        self.inner = Lock()
    def __enter__(self):
        self.inner.acquire()
    def __exit__(self, *_):
        self.inner.release()

store = Store()

def invert(one, other):
    for target in one, other:
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()

def nest(one, other):
    def take(first, second):
        with first(), second():
            pass
    invert(lambda: take(one, other), lambda: take(other, one))
"""

#: The program, and what its two locks are called, in whatever order.
INVERTED = [
    ("nest(lambda: store.both[0], lambda: store.both[1])", ["Store.both[0]", "Store.both[1]"]),
    ("nest(lambda: store.queue[0], lambda: store.queue[1])", ["Store.queue[0]", "Store.queue[1]"]),
    ("nest(lambda: store.nested['g']['x'], lambda: store.nested['g']['y'])", ["Store.nested['g']['x']", "Store.nested['g']['y']"]),
    ("nest(lambda: store.space.x, lambda: store.space.y)", ["Store.space.x", "Store.space.y"]),
    ("nest(lambda: store.ready, lambda: store.done)", ["Store.done", "Store.ready"]),
    ("nest(lambda: store.get('a'), lambda: store.get('b'))", ["Store.by_name['a']", "Store.by_name['b']"]),
    (
        "hidden = frozenset(store.kept)\ndel store.kept\nnest(lambda: store.weak['a'], lambda: store.weak['b'])",
        ["Store.weak['a']", "Store.weak['b']"],
    ),
    (
        """
        def one():
            store.begin()
            with store.second: pass
            store.end()
        def other():
            with store.second:
                store.begin()
                store.end()
        invert(one, other)
        """,
        ["Store.first", "Store.second"],
    ),
    (
        """
        def one():
            with store.first: store.deep(20, lambda: store.second.acquire() and store.second.release())
        def other():
            with store.second: store.deep(20, lambda: store.first.acquire() and store.first.release())
        invert(one, other)
        """,
        ["Store.first", "Store.second"],
    ),
    (
        """
        def take(*all):
            with contextlib.ExitStack() as stack:
                for lock in all: stack.enter_context(lock)
        invert(lambda: take(store.first, store.second), lambda: take(store.second, store.first))
        """,
        ["Store.first", "Store.second"],
    ),
    (
        """
        one, other = Guard(), Guard()
        def take(first, second):
            with first, second: pass
        invert(lambda: take(one, other), lambda: take(other, one))
        """,
        ["Guard.inner", "Guard.inner"],
    ),
]

AWAITED = [
    ("with store.get('a'): await asyncio.sleep(0)", "Store.by_name['a']"),
    ("with store.ready: await asyncio.sleep(0)", "Store.ready"),
    ("store.begin(); await asyncio.sleep(0); store.end()", "Store.first"),
]


@pytest.mark.parametrize(("text", "names"), INVERTED, ids=[names[0] for _, names in INVERTED])
def test_the_locks_of_an_inversion_have_names(ftsan: Ftsan, tmp_path: Path, text: str, names: list[str]) -> None:
    program = tmp_path / "locks.py"
    program.write_text(HEAD + textwrap.dedent(text) + "\n")
    [finding] = ftsan(program).findings
    assert sorted(re.findall(r"[AB] \(([^()]*)\)", finding["title"])) == names, finding["title"]


@pytest.mark.parametrize(("text", "name"), AWAITED, ids=[name for _, name in AWAITED])
def test_a_lock_held_across_an_await_has_a_name(ftsan: Ftsan, tmp_path: Path, text: str, name: str) -> None:
    program = tmp_path / "locks.py"
    program.write_text(f"{HEAD}async def main():\n    {text}\nasyncio.run(main())\n")
    [finding] = ftsan(program).findings
    assert f"lock {name} held across an await" in finding["title"]
