"""A counter for each object, in a dictionary that forgets objects that are gone."""

import weakref

from ftsan.testing import in_turns


class Client:
    pass


client = Client()
requests: weakref.WeakKeyDictionary[Client, int] = weakref.WeakKeyDictionary({client: 0})


def serve() -> None:
    requests[client] += 1  # race: requests


in_turns(serve, serve)
