"""Two threads sort one list or empty one: in either order, it is sorted or empty.

Directly, through a variable, and as what a thread is to run.
"""

from collections.abc import Callable

from ftsan.testing import in_turns, run

numbers, other_numbers, names = [3, 1, 2], [3, 1, 2], {"a": 1}


def worker() -> None:
    numbers.sort()
    names.clear()
    sort: Callable[[], None] = other_numbers.sort
    sort()


in_turns(worker, worker)
run(numbers.sort, numbers.sort)
