"""A dup2 onto a descriptor that another thread is blocked in, which fails and so closes nothing."""

import contextlib
import os
import socket
import threading
import time

ours, theirs = socket.socketpair()
thread = threading.Thread(target=ours.recv, args=(10,))
thread.start()
time.sleep(0.1)
with contextlib.suppress(OSError):
    os.dup2(999, ours.fileno())
theirs.send(b"x")
thread.join()
