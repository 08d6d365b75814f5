"""A number closed a second time, by a thread that did not close it first."""

import contextlib
import os
import threading

reader, writer = os.pipe()


def close() -> None:
    with contextlib.suppress(OSError):
        os.close(reader)


for name in ("first", "second"):
    thread = threading.Thread(target=close, name=name)
    thread.start()
    thread.join()
