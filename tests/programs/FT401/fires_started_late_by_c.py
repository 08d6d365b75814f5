"""A thread that C code starts late: by then a loop runs and a generator is suspended.  It does nothing but update, and lives on.

ALSO: FT407
"""

import ctypes
from collections.abc import Iterator

from ftsan.testing import wait_until


class Stats:
    looped = yielded = made = 0


stats = Stats()
# The messages that the threads give each other by these order nothing.
updated, ended = (ctypes.c_int * 1)(), (ctypes.c_int * 1)()
Start = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


@Start
def worker(_: object) -> None:
    stats.looped += 1  # race: looped
    stats.yielded += 1  # race: yielded
    stats.made += 1  # race: made
    updated[0] = 1
    wait_until(lambda: ended[0])


def steps() -> Iterator[None]:
    while True:
        stats.yielded += 1  # race: yielded
        yield


libc, thread = ctypes.CDLL(None), ctypes.c_ulong()
generator = steps()
for turn in range(3):
    if turn == 1:
        assert libc.pthread_create(ctypes.byref(thread), None, worker, None) == 0
        wait_until(lambda: updated[0])
    stats.looped += 1  # race: looped
    next(generator)


def made_later() -> None:
    stats.made += 1  # race: made


made_later()
ended[0] = 1
assert libc.pthread_join(thread, None) == 0
