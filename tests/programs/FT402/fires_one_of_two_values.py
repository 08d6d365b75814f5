"""Two values are read at once, and one of them decides; a `match` of several cases decides."""

from ftsan.testing import in_turns


class Pool:
    connection: object = None
    name = "pool"

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def connect(self) -> None:
        connection, name = self.connection, self.name  # maybe: connection
        if connection is None:
            self.connection = [name]  # race: connection

    def look_up(self, name: str) -> list[str]:
        match self.found.get(name):  # maybe: found
            case None:
                found = self.found[name] = [name]  # race: found
            case []:
                found = [name]
            case found:
                pass
        return found

    def work(self) -> None:
        self.connect()
        self.look_up("a")


pool = Pool()
in_turns(pool.work, pool.work)
