"""Caches of answers in dicts, filled with or without a lock: True and False, None, numbers, frozensets, members of enums, patterns.

`logging.Logger.isEnabledFor` is such a cache.  A bool is a once-flag only where it replaces another one.
"""

import re
import threading
import time
from enum import Enum

Color = Enum("Color", "RED BLUE")
lock = threading.Lock()
answers: dict[int, bool] = {}
others: dict[tuple[str, int], object] = {}


def is_even(number: int) -> bool:
    try:
        return answers[number]
    except KeyError:
        with lock:
            answer = answers[number] = number % 2 == 0
        return answer


def fill(kind: str, number: int) -> None:
    if (kind, number) not in others:
        time.sleep(0.001)  # the other thread asks, too, before either knows
        made = {
            "bool": number > 9,
            "none": None,
            "float": number / 2,
            "bytes": bytes(number),
            "set": frozenset([number]),
            "enum": Color.RED,
        }
        others[kind, number] = made[kind] if kind in made else compiled(number)


def compiled(number: int) -> re.Pattern[str]:
    re.purge()
    return re.compile(f"[{number}-9]+", re.IGNORECASE)


def worker() -> None:
    for number in range(20):
        assert is_even(number) == (not number % 2)
        fill(["bool", "none", "float", "bytes", "set", "enum", "pattern"][number % 7], number)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
