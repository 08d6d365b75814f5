"""A dict iterated by one thread while another one inserts, deletes and clears."""

import contextlib
import threading

growing, shrinking, cleared = dict.fromkeys("abc", 0), dict.fromkeys("abc", 0), dict.fromkeys("abc", 0)


def reader() -> None:
    with contextlib.suppress(RuntimeError):
        for _ in growing:  # race: insert
            pass
    with contextlib.suppress(RuntimeError):
        for _ in shrinking:  # race: delete
            pass
    with contextlib.suppress(RuntimeError):
        for _ in cleared:  # race: clear
            pass


def writer() -> None:
    growing["d"] = 1  # race: insert
    del shrinking["a"]  # race: delete
    cleared.clear()  # race: clear


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
