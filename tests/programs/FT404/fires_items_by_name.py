"""Elements of sequences replaced by two threads, by methods that are called by their names."""

import array
import threading
from collections import deque
from typing import Any

letters, numbers, waiting, data = ["a"], array.array("i", [0]), deque(["a"]), bytearray(b"a")


def put(container: Any, value: Any) -> None:
    container.__setitem__(0, value)  # race


def worker(letter: str, number: int) -> None:
    put(letters, letter)
    put(waiting, letter)
    put(numbers, number)
    put(data, number)


threads = [threading.Thread(target=worker, args=arguments) for arguments in [("b", 1), ("c", 2)]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
