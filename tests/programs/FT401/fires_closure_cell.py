"""A counter in a variable of an enclosing function."""

import threading
from collections.abc import Callable


def counter() -> Callable[[], int]:
    count = 0

    def increment() -> int:
        nonlocal count
        count += 1  # race
        return 0

    return increment


increment = counter()
threads = [threading.Thread(target=increment) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
