"""A selector changed and closed while another thread is in select()."""

import selectors
import socket
import threading

from ftsan.testing import wait_until_blocked

for kind in (selectors.PollSelector, selectors.SelectSelector):
    selector = kind()
    ours, theirs = socket.socketpair()
    selector.register(theirs, selectors.EVENT_READ)

    def poll(selector: selectors.BaseSelector = selector) -> None:
        selector.select(0.5)  # owner

    thread = threading.Thread(target=poll)
    thread.start()
    wait_until_blocked(thread)
    selector.register(ours, selectors.EVENT_READ)  # offending: register
    selector.unregister(ours)  # offending: unregister
    thread.join()
    selector.close()
    ours.close()
    theirs.close()
