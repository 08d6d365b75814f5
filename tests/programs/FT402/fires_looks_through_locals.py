"""What is looked at is read into a variable first, or compared, or asked for its class; two functions claim it by texts."""

from ftsan.testing import in_turns


class Connection:
    pass


class Pool:
    connection: Connection | None = None
    spare: object = None
    owner: str | None = None
    state = "new"
    is_enabled = True
    left = 1

    def __init__(self) -> None:
        self.started: list[int] = []

    def connect(self) -> None:
        connection = self.connection  # maybe: connection
        if self.is_enabled and connection is None:
            self.connection = Connection()  # race: connection

    def fill(self) -> None:
        if not isinstance(self.spare, Connection):  # maybe: spare
            self.spare = Connection()  # race: spare

    def start(self) -> None:
        state = self.state  # maybe: state
        if state != "started":
            self.state = "started"  # race: state
            self.started.append(1)

    def take(self) -> None:
        left = self.left  # maybe: left
        if left > 0:
            self.left = left - 1  # race: left

    def enter(self) -> None:
        if self.owner is None:  # maybe: owner
            self.owner = "reader"  # race: owner

    def work(self) -> None:
        self.connect()
        self.fill()
        self.start()
        self.take()
        self.enter()

    def work_otherwise(self) -> None:
        self.connect()
        self.fill()
        self.start()
        self.take()
        if self.owner is None:  # maybe: owner
            self.owner = "writer"  # maybe: owner


pool = Pool()
in_turns(pool.work, pool.work_otherwise)
