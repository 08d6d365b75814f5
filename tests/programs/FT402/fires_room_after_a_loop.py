"""A window of time: what is old is taken out of a deque, and then there is room for one more, or not."""

from collections import deque

from ftsan.testing import in_turns


class Window:
    def __init__(self) -> None:
        self.hits: deque[float] = deque()

    def hit(self, now: float) -> bool:
        while self.hits and self.hits[0] < now - 60:
            self.hits.popleft()
        if len(self.hits) >= 1:  # maybe: hits
            return False
        self.hits.append(now)  # race: hits
        return True


window = Window()
in_turns(lambda: window.hit(1.0), lambda: window.hit(2.0))
