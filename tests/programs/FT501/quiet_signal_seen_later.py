"""A lock that another thread releases is a signal, and has no order; that is seen only after both orders were.

ALSO: FT503
"""

import threading

signal, state = threading.Lock(), threading.Lock()
waits, may_go = threading.Event(), threading.Event()


def wait() -> None:
    with state:
        waits.set()
        signal.acquire()


def send() -> None:
    may_go.wait()
    signal.release()


signal.acquire()
threads = [threading.Thread(target=wait), threading.Thread(target=send)]
for thread in threads:
    thread.start()
waits.wait()
threading.Timer(0.1, may_go.set).start()
with state:
    pass
for thread in threads:
    thread.join()
