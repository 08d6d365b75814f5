"""Links of a chain that threads walk, each filled in under a lock by the first that comes; the sign that it is there comes last.

ALSO: FT407
"""

import threading
import time


class Branch:
    def __init__(self, numbers: list[int], link: list, lock: threading.Lock) -> None:
        self.numbers = numbers
        self.link = link
        self.lock = lock

    def __next__(self) -> int:
        link = self.link
        if link[1] is None:
            with self.lock:
                if link[1] is None:
                    time.sleep(0.001)
                    link[0] = self.numbers.pop()
                    link[1] = [None, None]
        value, self.link = link
        return value


def worker(branch: Branch) -> None:
    for number in reversed(range(50)):
        assert next(branch) == number


numbers, first, lock = list(range(50)), [None, None], threading.Lock()
threads = [threading.Thread(target=worker, args=(Branch(numbers, first, lock),)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
