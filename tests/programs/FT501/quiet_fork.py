"""Locks that are held across a fork, and taken in another order by a child that is alone."""

import logging
import os
import threading
import warnings

a, b = threading.Lock(), threading.Lock()
logging.getLogger("program").addHandler(logging.NullHandler())


def forwards() -> None:
    with a, b:
        pass


thread = threading.Thread(target=forwards)
thread.start()
thread.join()

warnings.simplefilter("ignore")
go_on = threading.Event()
other = threading.Thread(target=go_on.wait)
other.start()
with b:
    child = os.fork()
if not child:
    for _ in range(2):
        with b, a:
            pass
    worker = threading.Thread(target=lambda: logging.getLogger("program").warning("hello"))
    worker.start()
    worker.join()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
go_on.set()
other.join()
