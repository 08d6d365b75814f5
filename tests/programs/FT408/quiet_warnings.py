"""catch_warnings is a thread's own on free-threaded builds; each thread's context variables are.

UNSEEN: accesses
"""

import contextvars
import threading
import warnings

mode = contextvars.ContextVar("mode", default="")


def worker(name: str) -> None:
    for _ in range(20):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.warn(name, UserWarning, stacklevel=1)
        assert [str(warning.message) for warning in caught] == [name]
        mode.set(name)


threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
