"""Threads look in their loops whether something is to be done once; whoever finds it done goes on with its loop, and two may find that it is not."""

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
