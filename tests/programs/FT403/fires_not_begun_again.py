"""Handlers that lose the rest of an iteration, or are not about containers that change; and a list says nothing if it does."""

from ftsan.testing import in_turns


class Tasks:
    def __init__(self) -> None:
        self.by_number: dict[int, str] = {}
        self.names: set[str] = set()
        self.latest: list[str] = []

    def add(self) -> None:
        self.by_number[0] = "task"  # race: dictionary
        self.names.add("name")  # race: set
        self.latest.append("task")  # race: list

    def show(self) -> list[str]:
        while True:
            try:
                return [name.upper() for name in self.by_number.values()]  # race: dictionary
            except Exception as error:
                print(error)

    def latest_again(self) -> list[str]:
        while True:
            try:
                return [name.upper() for name in self.latest]  # race: list
            except RuntimeError:
                pass

    def look(self) -> None:
        for _ in range(2):
            try:
                for name in self.names:  # race: set
                    print(name)
            except RuntimeError as error:
                print(error)
        self.show()
        self.latest_again()


tasks = Tasks()
in_turns(tasks.add, tasks.look)
