"""A registered connection closed by a worker; the next one gets its number."""

import selectors
import socket
import threading

selector = selectors.DefaultSelector()
first, peer = socket.socketpair()
selector.register(first, selectors.EVENT_READ)  # owner


def close() -> None:
    first.close()  # offending: close


thread = threading.Thread(target=close)
thread.start()
thread.join()
second, other = socket.socketpair()
assert peer.fileno() > second.fileno()
