"""A method answers whether something was started, and another one starts it."""

from ftsan.testing import in_turns


class Service:
    def __init__(self) -> None:
        self._is_started = False
        self.starts: list[int] = []

    def is_started(self) -> bool:
        return self._is_started  # race

    def start(self) -> None:
        self.starts.append(1)
        self._is_started = True  # race


service = Service()


def serve() -> None:
    if not service.is_started():
        service.start()


in_turns(serve, serve)
