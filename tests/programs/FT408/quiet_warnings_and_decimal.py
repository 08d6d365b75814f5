"""catch_warnings and decimal.localcontext are a thread's own on free-threaded builds; each thread's context variables are.

UNSEEN: accesses
"""

import contextvars
import decimal
import threading
import warnings

mode = contextvars.ContextVar("mode", default="")


def worker(name: str) -> None:
    for _ in range(20):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.warn(name, UserWarning, stacklevel=1)
        assert [str(warning.message) for warning in caught] == [name]
        with decimal.localcontext() as context:
            context.prec += 1
        mode.set(name)


threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
