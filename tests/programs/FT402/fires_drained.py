"""A container is copied and emptied: another thread takes the same, and what it adds in between is lost."""

from ftsan.testing import in_turns


class Buffer:
    def __init__(self) -> None:
        self.lines: list[str] = ["first"]
        self.events: list[int] = [1]
        self.counts = {"a": 1}
        self.tags = {"a"}
        self.sent: list[object] = []

    def add(self) -> None:
        self.lines.append("one")  # maybe: lines
        self.counts["b"] = 1  # maybe: counts

    def drain(self) -> None:
        lines = self.lines[:]  # maybe: lines
        del self.lines[:]  # race: lines
        events = list(self.events)  # maybe: events
        self.events.clear()  # race: events
        counts = self.counts.copy()  # maybe: counts
        self.counts.clear()  # race: counts
        tags = set(self.tags)  # maybe: tags
        self.tags.clear()  # race: tags
        self.sent += [lines, events, counts, tags]


buffer = Buffer()
in_turns(buffer.add, buffer.drain, buffer.drain)
other = Buffer()
in_turns(other.drain, other.add)
