"""A loop waits for a flag that it asks for by ``getattr`` or ``get``, and then changes what was written before the flag was set.

ALSO: FT407
"""

from typing import Any

from ftsan.testing import run, wait_until


class State:
    is_done = False
    result = 0


state = State()
table: dict[str, Any] = {"done": False, "result": 0, "in": {"done": False, "result": 0}}
waiting: list[int] = []


def by_getattr() -> None:
    waiting.append(1)
    while not getattr(state, "is_done", False):
        pass
    state.result += 1


def by_get() -> None:
    waiting.append(2)
    while not table.get("done"):
        pass
    table["result"] += 1


def by_two_keys() -> None:
    waiting.append(3)
    while not table["in"]["done"]:
        pass
    table["in"]["result"] += 1


def finish() -> None:
    wait_until(lambda: len(waiting) == 3)
    state.result = table["result"] = table["in"]["result"] = 4
    state.is_done = True
    table["done"] = True
    table["in"]["done"] = True


run(by_getattr, by_get, by_two_keys, finish)
