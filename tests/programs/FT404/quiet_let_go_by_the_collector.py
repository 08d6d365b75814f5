"""The collector of another thread lets go of what garbage referred to: that is its maker's own all the same.

The interpreter forgets which thread made it then, so ftsan asks the heap.  Until another thread comes to it, nothing is noted.

ALSO: FT407
"""

import gc

from ftsan.testing import run, wait_until


class Record:
    count = 0


class Cycle:
    def __init__(self, record: Record) -> None:
        self.record, self.itself = record, self


steps: list[str] = []
gc.disable()


def make() -> None:
    record = Record()
    for _ in range(10):
        Cycle(record)
    steps.append("made")
    wait_until(lambda: "collected" in steps)
    record.count = 1
    steps.append("counted")
    wait_until(lambda: "read" in steps)


def collect() -> None:
    wait_until(lambda: "made" in steps)
    gc.collect()
    steps.append("collected")
    wait_until(lambda: "counted" in steps)
    # Found by a way that nobody sees, after the other thread is done with it.
    for record in gc.get_objects():
        if type(record) is Record:
            record.count += 1
    steps.append("read")


run(make, collect)
