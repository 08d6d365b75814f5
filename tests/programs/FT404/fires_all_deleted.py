"""A list that is copied and emptied: what another thread adds in between is lost."""

from ftsan.testing import in_turns


class Buffer:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        self.lines.append(line)  # race: lines

    def drain(self) -> list[str]:
        lines = self.lines[:]
        del self.lines[:]  # race: lines
        return lines


buffer = Buffer()
in_turns(lambda: buffer.add("one"), buffer.drain)
