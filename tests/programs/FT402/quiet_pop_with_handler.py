"""A look before something is taken away is only an optimisation where it is handled that it is gone.

ALSO: FT407
"""

import contextlib
import threading
from collections import OrderedDict, deque
from contextlib import suppress

numbers = range(300)
stack, queue, pending, jobs = list(numbers), deque(numbers), set(numbers), dict.fromkeys(numbers)
leases, names, found = dict.fromkeys(numbers), OrderedDict.fromkeys(numbers), list(numbers)
lock = threading.Lock()


def from_list() -> None:
    while stack:
        try:
            stack.pop()
        except IndexError:
            break


def from_deque() -> None:
    while len(queue) > 0:
        try:
            with lock:
                number = 1
            number += queue.popleft()
        except TypeError, LookupError:
            return


def from_set() -> None:
    for number in numbers:
        if number in pending:
            try:
                pending.remove(number)
            except ValueError:
                raise
            except KeyError:
                continue


def from_dict() -> None:
    for number in numbers:
        if number in jobs:
            with suppress(KeyError):
                jobs.pop(number)
        if number in leases:
            with contextlib.suppress(KeyError, TypeError):
                del leases[number]
        if number in names:
            try:
                del names[number]
            except:  # noqa: E722
                continue


def from_found() -> None:
    for number in numbers:
        if found:
            try:
                found.remove(number)
            except ValueError:
                continue


def worker() -> None:
    for take in (from_list, from_deque, from_set, from_dict, from_found):
        take()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not any((stack, queue, pending, jobs, leases, names, found))
