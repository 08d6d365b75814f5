"""Two threads come to a `functools.cached_property` at once: each makes a list and adds to it, and one of the lists is lost.

Nothing is lost as long as nobody changes what was made, which is what such properties are for: that the other one's value is
changed later would have to be known where it is stored over.
"""

import functools

from ftsan.testing import Meeting, run

meeting, places = Meeting(), [0, 1]


class Table:
    @functools.cached_property
    def rows(self) -> list[int]:
        meeting.join(places.pop())
        return []


table = Table()


def add() -> None:
    table.rows.append(1)  # race


run(add, add)
