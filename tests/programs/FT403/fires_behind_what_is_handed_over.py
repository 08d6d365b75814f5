"""A container behind an attribute of what was put into a queue, changed afterwards: it is no secret of its maker's any more."""

import contextlib
import queue
import threading
from dataclasses import dataclass, field


@dataclass
class Options:
    names: list[str] = field(default_factory=lambda: ["a"])


class Job:
    def __init__(self) -> None:
        self.items = [1]
        self.options = Options()


class Slotted:
    __slots__ = ("table",)

    def __init__(self) -> None:
        self.table = {"a": 1}


jobs: queue.Queue[Job] = queue.Queue()
others: queue.SimpleQueue[Slotted] = queue.SimpleQueue()


def consumer() -> None:
    job = jobs.get()
    for _ in job.items:  # race: attribute
        pass
    for _ in job.options.names:  # race: attribute of an attribute
        pass


def other_consumer() -> None:
    slotted = others.get()
    with contextlib.suppress(RuntimeError):
        for _ in slotted.table:  # race: slot
            pass


threads = [threading.Thread(target=target) for target in (consumer, other_consumer)]
for thread in threads:
    thread.start()
job, slotted = Job(), Slotted()
others.put(slotted)
slotted.table["b"] = 2  # race: slot
jobs.put(job)
job.items.append(2)  # race: attribute
job.options.names.append("b")  # race: attribute of an attribute
for thread in threads:
    thread.join()
