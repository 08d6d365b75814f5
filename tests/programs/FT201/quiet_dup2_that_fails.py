"""A dup2 onto a descriptor that another thread is blocked in, which fails and so closes nothing."""

import contextlib
import os
import socket
import threading

from ftsan.testing import wait_until_blocked

ours, theirs = socket.socketpair()
thread = threading.Thread(target=ours.recv, args=(10,))
thread.start()
wait_until_blocked(thread)
with contextlib.suppress(OSError):
    os.dup2(999, ours.fileno())
theirs.send(b"x")
thread.join()
