"""A function decorated by mock.patch.object runs in two threads; a patch is started and stopped."""

import contextlib
import threading
from unittest import mock


class Client:
    url = "https://example.org"
    name = "client"


@mock.patch.object(Client, "url", "https://example.com")
def decorated() -> None:
    pass


def started() -> None:
    patch = mock.patch.object(Client, "name", "mock")
    patch.start()  # race: start
    patch.stop()  # maybe: start


def worker() -> None:
    with contextlib.suppress(RuntimeError):  # it may be started already
        decorated()  # race: decorated
    with contextlib.suppress(AttributeError):
        started()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
