"""A list and a deque that must not get longer than they may: two threads find room for one more."""

from collections import deque

from ftsan.testing import in_turns


class Pool:
    def __init__(self) -> None:
        self.idle: list[object] = []
        self.recent: deque[float] = deque()

    def put(self, connection: object) -> None:
        if len(self.idle) < 1:  # maybe: idle
            self.idle.append(connection)  # race: idle

    def hit(self, now: float) -> bool:
        if len(self.recent) >= 1:  # maybe: recent
            return False
        self.recent.append(now)  # race: recent
        return True


pool = Pool()
in_turns(lambda: pool.put(object()), lambda: pool.put(object()))
in_turns(lambda: pool.hit(1.0), lambda: pool.hit(2.0))
