"""Two threads hold a lock of a file that is for readers, one after the other."""

import fcntl
import os
import tempfile

from ftsan.testing import in_turns

descriptor, name = tempfile.mkstemp()
os.close(descriptor)
total = 0


def add() -> None:
    global total
    with open(name) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        total += 1  # race: total


in_turns(add, add)
os.unlink(name)
