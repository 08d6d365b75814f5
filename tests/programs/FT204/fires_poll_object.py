"""A poll object changed by a thread while another one is in its poll()."""

import select
import socket
import threading

from ftsan.testing import wait_until_blocked

poller = select.poll()
ours, theirs = socket.socketpair()
poller.register(theirs, select.POLLIN)


def poll() -> None:
    poller.poll()  # owner


thread = threading.Thread(target=poll)
thread.start()
wait_until_blocked(thread)
poller.register(ours, select.POLLIN)  # offending: register
theirs_too = ours.send(b"x")
thread.join()
poller.unregister(ours)
