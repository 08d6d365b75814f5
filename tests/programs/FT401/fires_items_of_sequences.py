"""Counters that are items of a list, bytearray and array: `lst[i] = lst[i] + 1` is not atomic (threadsafety.rst)."""

import threading
from array import array

totals = [0, 0]
image = bytearray(4)
samples = array("d", [0.0])


def with_list() -> None:
    totals[1] += 1  # race: list


def from_the_end() -> None:
    last = totals[-2]  # maybe: end
    totals[-2] = last + 1  # race: end


def with_bytearray() -> None:
    image[0] ^= 1  # race: bytearray


def with_array() -> None:
    samples[0] += 0.5  # race: array


def worker() -> None:
    for function in (with_list, from_the_end, with_bytearray, with_array):
        function()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
