"""Each thread patches an object of its own, and captures what is written to a stream of its own."""

import contextlib
import io
import os
import sys
import threading
from types import SimpleNamespace
from unittest import mock


def worker(name: str) -> None:
    for _ in range(5):
        client, out = SimpleNamespace(url="a", fetch=len), io.StringIO()
        with mock.patch.object(client, "url", name), mock.patch.object(client, "fetch"):
            print(client.url, file=out)
            client.fetch()
        assert (client.url, out.getvalue()) == ("a", f"{name}\n")
        assert sys.stdout is not None and os.getcwd() and os.environ.get("FTSAN_TEST_MISSING") is None
        with contextlib.suppress(KeyError):
            os.environ["FTSAN_TEST_MISSING"]


threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
