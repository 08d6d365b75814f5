"""Threads look in their loops whether something is still to be done once, and go on if it is done: two may find that it is not."""

from ftsan.testing import in_turns


class Service:
    is_started = False


service = Service()


def init() -> None:
    pass


def serve() -> None:
    looks = 0
    while looks < 3:
        looks += 1
        if not service.is_started:  # race
            service.is_started = True  # race
            init()


in_turns(serve, serve)
