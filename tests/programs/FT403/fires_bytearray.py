"""A bytearray iterated while another thread appends to it (threadsafety.rst: not thread-safe), and an array."""

import threading
from array import array

data, samples = bytearray(b"abc"), array("d", [1.0])


def reader() -> None:
    for _ in data:  # race: bytearray
        pass
    for _ in samples:  # race: array
        pass


def writer() -> None:
    data.append(1)  # race: bytearray
    samples.append(2.0)  # race: array


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
