"""An object that is put under a key here and taken from there changes hands: by `pop`, with a default or without, or by `del`.

ALSO: FT407
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

ROUNDS = 30


def by_pop(box: dict[int, Any], key: int) -> Any:
    while True:
        try:
            return box.pop(key)
        except KeyError:
            pass


def by_pop_with_default(box: dict[int, Any], key: int) -> Any:
    while (found := box.pop(key, None)) is None:
        pass
    return found


def by_deletion(box: dict[int, Any], key: int) -> Any:
    while key not in box:
        pass
    found = box[key]
    del box[key]
    return found


def by_place(box: dict[int, Any], key: int) -> Any:
    while box.get(key) is None:
        pass
    return box.pop(key)


def exchange(take: Callable[[dict[int, Any], int], Any], box: dict[int, Any]) -> None:
    def ask() -> None:
        for key in range(ROUNDS):
            box[key] = [key]

    def answer() -> None:
        for key in range(ROUNDS):
            take(box, key)[0] += 1

    threads = [threading.Thread(target=target) for target in (answer, ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


for take in (by_pop, by_pop_with_default, by_deletion):
    exchange(take, {})
    exchange(take, OrderedDict())
exchange(by_place, dict.fromkeys(range(ROUNDS)))
