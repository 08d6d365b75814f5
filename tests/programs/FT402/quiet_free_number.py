"""Numbers that are tried until one is free, under a lock; and a loop that waits until another thread has put something there.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns

names: dict[int, str] = {}
lock = threading.Lock()
results: dict[str, int] = {}


def number(name: str) -> int:
    with lock:
        found = 0
        while found in names:
            found += 1
        names[found] = name
        return found


def wait() -> int:
    while "answer" not in results:
        pass
    return results["answer"]


in_turns(lambda: number("one"), lambda: number("two"))
waiter = threading.Thread(target=wait)
waiter.start()
results["answer"] = 42
waiter.join()
