"""A look whether there is something, and a loop in another function: another thread puts in the first element only then."""

from collections.abc import Iterator

from ftsan.testing import in_turns


class Registry:
    def __init__(self) -> None:
        self.routes: dict[int, str] = {}
        self.hooks: dict[int, str] = {}
        self.names: set[int] = set()
        self.users: dict[int, str] = {}

    def add(self) -> None:
        self.routes[1] = "/"  # race: routes
        self.hooks[1] = "start"  # race: hooks
        self.names.add(1)  # race: names
        self.users[1] = "a"  # race: users

    def each(self) -> Iterator[str]:
        yield from self.hooks.values()

    def show(self) -> None:
        for route in self.routes:
            str(route)

    def look(self) -> None:
        if self.routes:  # race: routes
            self.show()
        if bool(self.hooks):  # race: hooks
            for hook in self.each():
                str(hook)
        if 1 in self.names:  # race: names
            for name in self.names:
                str(name)
        if self.users.get(1) is not None:  # race: users
            for user in self.users:
                str(user)


registry = Registry()
in_turns(registry.look, registry.add)
