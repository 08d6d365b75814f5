"""Two threads count without a lock, one after the other, with nothing between them that orders them."""

from ftsan.testing import in_turns


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def increment(self) -> None:
        self.value += 1


counter = Counter()
in_turns(counter.increment, counter.increment)
