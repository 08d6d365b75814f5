"""A container is used and emptied if there is enough in it: what others have put there meanwhile is lost."""

from ftsan.testing import in_turns

MOST = 2
sent: list[str] = []
batch: list[str] = []
jobs = ["a", "b", "c", "d"]


def add(text: str) -> None:
    batch.append(text)  # race: batch
    if len(batch) >= MOST:  # maybe: batch
        sent.extend(batch)
        batch.clear()  # race: batch


def work() -> None:
    while len(jobs) > 0:  # maybe: jobs
        jobs.pop()  # race: jobs


in_turns(lambda: add("a"), lambda: add("b"), lambda: add("c"))
in_turns(work, work)
