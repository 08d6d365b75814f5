"""Something is looked for, used and then taken away or replaced: two threads may use it."""

from ftsan.testing import in_turns


class Reader:
    def __init__(self) -> None:
        self.handle: list[int] | None = [1]
        self.lines = ["a"]
        self.open = {"a": 1}

    def close(self) -> None:
        if self.handle is not None:  # race: handle
            self.handle.clear()  # maybe: handle
            self.handle = None  # race: handle

    def flush(self) -> list[str]:
        if self.lines:  # race: lines
            lines = self.lines  # maybe: lines
            self.lines = []  # race: lines
            return lines
        return []

    def take(self) -> int:
        if "a" in self.open:  # race: open
            value = self.open["a"]  # maybe: open
            del self.open["a"]  # race: open
            return value
        return 0


reader = Reader()
in_turns(reader.close, reader.close)
in_turns(reader.flush, reader.flush)
in_turns(reader.take, reader.take)
