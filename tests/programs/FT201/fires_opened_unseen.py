"""The master of a pseudo-terminal, which the C library opens, closed while a thread reads it."""

import contextlib
import os
import threading

from ftsan.testing import wait_until_blocked

# So that the numbers were seen before.
for number in [os.open("/dev/null", os.O_RDONLY) for _ in range(4)]:
    os.close(number)
master, slave = os.openpty()


def read() -> None:
    with contextlib.suppress(OSError):
        os.read(master, 1)  # owner


thread = threading.Thread(target=read)
thread.start()
wait_until_blocked(thread)
os.close(master)  # offending: close
os.close(slave)
thread.join()
