"""A set remembers for what the answer is yes, as asyncio.iscoroutine does: finding out twice is all that can happen.

How many answers there are may have changed since, which is told if it falls in between.

ALSO: FT407
"""

import threading
import time
from collections.abc import Sized

sized: set[type] = set()
even: set[int] = set()


def is_sized(object_: object) -> bool:
    if type(object_) in sized:
        return True
    if isinstance(object_, Sized):
        if len(sized) < 100:
            sized.add(type(object_))
        return True
    return False


def is_even(number: int, delay: float) -> bool:
    if number not in even:
        if divmod(number, 2)[1]:
            return False
        time.sleep(delay)
        even.add(number)
    return True


def worker(delay: float) -> None:
    for object_ in ([], {}, "", 1, None):
        assert is_sized(object_) == hasattr(object_, "__len__")
    assert [number for number in range(10) if is_even(number, delay)] == [0, 2, 4, 6, 8]


threads = [threading.Thread(target=worker, args=(delay,)) for delay in (0, 0.005)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
