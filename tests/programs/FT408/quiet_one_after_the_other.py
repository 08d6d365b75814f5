"""Output, directory, environment and attributes swapped by one thread at a time, under a lock and after join, and set for good."""

import contextlib
import io
import os
import sys
import tempfile
import threading
from unittest import mock


class Client:
    url = "https://example.org"


lock = threading.Lock()
os.environ["FTSAN_TEST_MODE"] = "test"


def swap(folder: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.chdir(folder):
        print("captured")
    saved, sys.stdout = sys.stdout, io.StringIO()
    sys.stdout = saved
    with mock.patch.object(Client, "url", "https://example.com"), mock.patch.dict(os.environ, FTSAN_TEST_MODE="other"):
        assert os.environ["FTSAN_TEST_MODE"] == "other"


def worker(folder: str) -> None:
    with lock:
        swap(folder)


with tempfile.TemporaryDirectory() as folder:
    threads = [threading.Thread(target=worker, args=(folder,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    swap(folder)
