"""A function that mock.patch.object decorates is called while another thread is in it: the patch refuses to start again."""

import contextlib
import os
import tempfile
import threading
import time
from unittest import mock


class Client:
    url = "https://example.org"


def wait_for(step: str) -> None:
    while not os.path.exists(step):  # a folder, which nobody takes for order between threads
        time.sleep(0.001)


@mock.patch.object(Client, "url", "https://example.com")
def decorated(is_inside: str, is_refused: str) -> None:
    os.mkdir(is_inside)
    wait_for(is_refused)


def second(is_inside: str, is_refused: str) -> None:
    wait_for(is_inside)
    with contextlib.suppress(RuntimeError):
        decorated(is_inside, is_refused)  # race: patch
    os.mkdir(is_refused)


with tempfile.TemporaryDirectory() as folder:
    steps = (f"{folder}/inside", f"{folder}/refused")
    threads = [threading.Thread(target=decorated, args=steps), threading.Thread(target=second, args=steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
