"""A signal every millisecond, whose handler writes to a wake-up socket, hits threads that are in calls."""

import os
import signal
import socket
import sys
import threading
import time

end = time.monotonic() + int(sys.argv[1]) / 50
seen = 0


def traffic() -> None:
    while time.monotonic() < end:
        here, there = socket.socketpair()
        here.send(b"x")
        assert there.recv(1) == b"x"
        os.close(os.open("/dev/null", os.O_RDWR))
        here.close()
        there.close()


def handle(*_: object) -> None:
    global seen
    seen += 1


reading, writing = socket.socketpair()
writing.setblocking(False)
reading.setblocking(False)
signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
signal.signal(signal.SIGPROF, handle)
signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
threads = [threading.Thread(target=traffic) for _ in range(3)]
for thread in threads:
    thread.start()
traffic()
for thread in threads:
    thread.join()
signal.setitimer(signal.ITIMER_PROF, 0)
assert seen
assert reading.recv(1)
signal.set_wakeup_fd(-1)
print("ok")
