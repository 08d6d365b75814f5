"""Killed by somebody, as the kernel does when memory is short.

verdict: unknown
says: SIGKILL
"""

import os
import signal
import socket

ours, theirs = socket.socketpair()
ours.send(b"last words")
os.kill(os.getpid(), signal.SIGKILL)
