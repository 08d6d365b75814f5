"""A method says whether a container is empty; its caller acts on that."""

import threading


class Pool:
    def __init__(self) -> None:
        self.free = ["a", "b", "c", "d"]
        self.spare = {"e", "f"}

    def has_none(self) -> bool:
        return not self.spare  # maybe: spare

    def is_used_up(self) -> bool:
        return len(self.free) == 0  # maybe: free


pool = Pool()


def takes_a_spare_one() -> None:
    if not pool.has_none():
        pool.spare.pop()  # race: spare


def takes() -> None:
    if not pool.is_used_up():
        pool.free.pop()  # race: free


for target in (takes_a_spare_one, takes):
    threads = [threading.Thread(target=target) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
