"""Two functions check and act on the same thing, each on its own; and one asks another function."""

from ftsan.testing import in_turns

jobs, table, names = [1], {1: 1, 2: 2}, {1}


class Service:
    started: object = None

    def is_ready(self) -> bool:
        return self.started is not None  # race: asked

    def start(self) -> None:
        if not self.is_ready():  # maybe: asked
            self.started = object()  # race: asked


service = Service()


def first() -> None:
    if jobs:  # maybe: jobs
        jobs.pop()  # race: jobs
    if 1 in table:  # maybe: deleted
        del table[1]  # race: deleted  # noqa: RUF051
    if 2 in table:  # maybe: popped
        table.pop(2)  # race: popped
    if 1 in names:  # maybe: names
        names.remove(1)  # race: names


def second() -> None:
    if jobs:  # race: jobs
        jobs.pop(0)  # maybe: jobs
    if 1 in table:  # race: deleted
        del table[1]  # maybe: deleted  # noqa: RUF051
    if 2 in table:  # race: popped
        table.pop(2)  # maybe: popped
    if 1 in names:  # race: names
        names.discard(1)  # maybe: names


def both() -> None:
    service.start()


in_turns(first, second)
in_turns(both, both)
