"""The exceptions that are handled are others than the one for nothing to take."""

import contextlib
import threading

stack, jobs = list(range(10)), dict.fromkeys(range(10))


def from_list() -> None:
    if stack:  # maybe: list
        try:
            stack.pop()  # race: list
        except TypeError, OSError:
            print("never")


def from_dict() -> None:
    if 3 in jobs:  # maybe: dict
        with contextlib.suppress(TypeError):
            del jobs[3]  # race: dict


def worker() -> None:
    for take in (from_list, from_dict):
        with contextlib.suppress(LookupError):
            take()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
