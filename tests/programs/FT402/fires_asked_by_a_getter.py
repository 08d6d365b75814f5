"""A method returns what is there, a second one puts something there, and their caller decides."""

from ftsan.testing import in_turns


class Store:
    def __init__(self) -> None:
        self.sessions: dict[str, list[int]] = {}
        self._owner: list[str] | None = None

    def get(self, name: str) -> list[int] | None:
        return self.sessions.get(name)  # race: session

    def add(self, name: str, session: list[int]) -> None:
        self.sessions[name] = session  # race: session

    def get_or_create(self, name: str) -> list[int]:
        session = self.get(name)
        if session is None:
            session = []
            self.add(name, session)
        return session

    @property
    def owner(self) -> list[str] | None:
        return self._owner  # race: owner

    def own(self, name: str) -> bool:
        if self.owner is None:
            self.log(name)
            self._owner = [name]  # race: owner
            return True
        return False

    def log(self, name: str) -> None:
        self.get_or_create("log").append(len(name))


store = Store()
in_turns(lambda: store.get_or_create("a"), lambda: store.get_or_create("a"))
in_turns(lambda: store.own("a"), lambda: store.own("b"))
