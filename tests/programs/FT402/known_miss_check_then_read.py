"""A key is tested and then read, while another thread may remove it: KeyError in spite of the test.

Each operation is atomic (threadsafety.rst), so this is a plain read beside a plain delete: information at most (FT407).
"""

import contextlib
import threading

table = {"a": 1}


def reader() -> int:
    if "a" in table:  # maybe
        return table["a"]  # race
    return 0


def remover() -> None:
    table.pop("a", None)  # race


def suppressed() -> None:
    with contextlib.suppress(KeyError):
        reader()


threads = [threading.Thread(target=target) for target in (suppressed, remover)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
