"""One `csv.DictReader`, which steps in Python code of the standard library, advanced by two threads."""

import csv
import io

from ftsan.testing import in_turns


class Trimmed(csv.DictReader[str]):
    def rest(self) -> int:
        return self.line_num


lines = csv.DictReader(io.StringIO("a\n" + "1\n" * 10))
looped, derived = csv.DictReader(io.StringIO("a\n" + "1\n" * 10)), Trimmed(io.StringIO("a\n1\n2\n3\n"))


def consume() -> None:
    next(lines)  # race: next
    for _ in looped:  # race: loop
        break
    next(derived)  # race: derived


in_turns(consume, consume)
