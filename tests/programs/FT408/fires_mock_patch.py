"""One attribute or name patched by two threads: what the last one restores may be the mock of the other one."""

import contextlib
import json
import threading
from unittest import mock


class Client:
    url = "https://example.org"


def patch_object() -> None:
    with mock.patch.object(Client, "url", ""):  # race: object
        pass


def patch_name() -> None:
    with mock.patch("json.dumps"):  # race: name
        json.dumps([])


def worker() -> None:
    for patched in (patch_object, patch_name):
        with contextlib.suppress(AttributeError, KeyError, RuntimeError):
            patched()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
