"""A counter in an attribute: `+=`, other operators, and through a local variable."""

import threading


class Stats:
    hits = flags = seen = 0
    size = 1.0

    def hit(self) -> None:
        self.hits += 1  # race: hits

    def shrink(self) -> None:
        self.size *= 0.5  # race: size

    def mark(self, bit: int) -> None:
        self.flags |= bit  # race: flags

    def see(self) -> None:
        before = self.seen  # maybe: seen
        self.seen = before + 1  # race: seen


stats = Stats()


def worker(bit: int) -> None:
    stats.hit()
    stats.shrink()
    stats.mark(bit)
    stats.see()


threads = [threading.Thread(target=worker, args=(bit,)) for bit in (1, 2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
