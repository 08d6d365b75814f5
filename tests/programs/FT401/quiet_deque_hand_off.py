"""A deque as a queue: the thread that pops an object comes after the one that appended it."""

import threading
import time
from collections import deque
from types import SimpleNamespace
from typing import Any

Box = deque[Any]


def take(box: Box, number: int) -> Any:
    while True:
        try:
            return box.popleft() if number % 2 else box.pop()
        except IndexError:
            time.sleep(0.0001)


def worker(mine: Box, theirs: Box) -> None:
    for number in range(30):
        item = take(mine, number)
        item.n += 1
        if number % 3 == 0:
            theirs.append(item)
        elif number % 3 == 1:
            theirs.appendleft(item)
        else:
            theirs.extend([item])


shared = SimpleNamespace(n=0)
ping, pong = deque([shared]), deque[Any]()
threads = [threading.Thread(target=worker, args=pair) for pair in ((ping, pong), (pong, ping))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 60
