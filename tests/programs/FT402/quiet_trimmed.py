"""A history is kept short: each thread takes off at most as much as it has added itself.

ALSO: FT407
"""

from collections import deque

from ftsan.testing import in_turns

recent, lines, last = ["a", "b"], ["a", "b"], deque(["a", "b"])


def add(text: str) -> None:
    recent.append(text)
    if len(recent) > 2:
        recent.pop(0)
    lines.append(text)
    if len(lines) > 2:
        del lines[0]
    last.append(text)
    if len(last) > 2:
        last.popleft()


in_turns(lambda: add("c"), lambda: add("d"))
