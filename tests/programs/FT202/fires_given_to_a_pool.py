"""A pool that was given the method closes a selector's descriptor: the line is the one that gave it, in the past by then."""

import contextlib
import selectors
import socket
from concurrent.futures import ThreadPoolExecutor

selector = selectors.DefaultSelector()
first, other = socket.socketpair()
selector.register(first, selectors.EVENT_READ)  # owner
with ThreadPoolExecutor(1) as pool:
    pool.submit(int).result()
    pool.submit(first.close).result()  # offending: close
second, another = socket.socketpair()
with contextlib.suppress(KeyError, ValueError):
    selector.register(second, selectors.EVENT_READ)
selector.close()
for sock in (other, second, another):
    sock.close()
