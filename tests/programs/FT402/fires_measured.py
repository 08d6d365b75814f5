"""What is measured before it is replaced: the second thread finds too much, because the first one came before it."""

from ftsan.testing import in_turns


class Best:
    def __init__(self) -> None:
        self.largest = 0
        self.by_name = {"one": 0}

    def see(self, amount: int) -> None:
        if amount > self.largest:  # maybe: largest
            self.largest = amount  # race: largest

    def see_named(self, name: str, amount: int) -> None:
        if self.by_name[name] < amount:  # maybe: named
            self.by_name[name] = amount  # race: named


best = Best()
in_turns(lambda: best.see(2), lambda: best.see(1))
in_turns(lambda: best.see_named("one", 2), lambda: best.see_named("one", 1))
