"""A patch is entered and left while another thread enters it: the other one finds nothing to set the mock on."""

import contextlib
import os
import tempfile
import threading
import time
from unittest import mock


class Client:
    url = "https://example.org"


PATCH = mock.patch.object(Client, "url", "https://example.com")


def wait_for(step: str) -> None:
    while not os.path.exists(step):  # a folder, which nobody takes for order between threads
        time.sleep(0.001)


def in_between(step: str, after: str) -> type[Client]:
    """Client, found when the patch has just been entered."""
    if threading.current_thread().name == "late" and hasattr(PATCH, "target"):
        os.mkdir(step)
        wait_for(after)
    return Client


def whole(entered: str, left: str) -> None:
    wait_for(entered)
    with PATCH:  # race: patch
        pass
    os.mkdir(left)


def late() -> None:
    with contextlib.suppress(AttributeError), PATCH:  # race: patch
        pass


with tempfile.TemporaryDirectory() as folder:
    steps = (f"{folder}/entered", f"{folder}/left")
    PATCH.getter = lambda: in_between(*steps)
    threads = [threading.Thread(target=whole, args=steps), threading.Thread(target=late, name="late")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
