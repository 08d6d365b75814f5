"""One dict patched by two threads.

Not found: of a dict as a whole only the last change is remembered, and `update`, which is that, may meet another `update`.
"""

import contextlib
import threading
from unittest import mock


def worker() -> None:
    with contextlib.suppress(KeyError, RuntimeError), mock.patch.dict(table, mode="fake"):  # race: dict
        pass


table = {"mode": "real"}
threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
