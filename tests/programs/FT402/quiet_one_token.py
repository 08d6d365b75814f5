"""Of several threads one finds the attribute that it takes away, and stores what it has made.

ALSO: FT407
"""

from ftsan.testing import run


class Box:
    def __init__(self) -> None:
        self.is_open = True
        self.result: list[int] | None = None


boxes = [Box() for _ in range(50)]


def finish(box: Box, result: list[int]) -> None:
    if box.result is not None:
        return
    try:
        del box.is_open
    except AttributeError:
        return
    box.result = result


def all_of(number: int) -> None:
    for box in boxes:
        finish(box, [number])


run(lambda: all_of(1), lambda: all_of(2))
