"""Keys or numbers are given out by how many there are: two threads may get the same one.

ALSO: FT407
"""

from ftsan.testing import in_turns

visitors: dict[int, str] = {}
numbers: dict[str, int] = {}
places: dict[str, int] = {}
tickets: dict[str, list[str]] = {}


class Table:
    def __init__(self) -> None:
        self.rows: dict[int, object] = {}

    def add(self, row: object) -> int:
        number = len(self.rows) + 1  # race: local
        self.rows[number] = row  # race: local
        return number


def enter(name: str) -> None:
    visitors[len(visitors)] = name  # race: key


def number_of(name: str) -> int:
    return numbers.setdefault(name, len(numbers))  # race: default


def place_of(name: str) -> int:
    if name not in places:
        places[name] = len(places)  # race: value
    return places[name]


def ticket(name: str) -> None:
    tickets[f"#{len(tickets)}"] = [name]  # race: text


table = Table()
in_turns(lambda: enter("a"), lambda: enter("b"))
in_turns(lambda: number_of("a"), lambda: number_of("b"))
in_turns(lambda: place_of("a"), lambda: place_of("b"))
in_turns(lambda: table.add("a"), lambda: table.add("b"))
in_turns(lambda: ticket("a"), lambda: ticket("b"))
