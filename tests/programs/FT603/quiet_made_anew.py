"""Locks that the standard library makes anew in the child, those that the child releases, and tries that give up."""

import logging
import os
import threading
import warnings

lock = threading.Lock()
handler = logging.StreamHandler()
logging.root.addHandler(handler)
held, done = threading.Event(), threading.Event()


def worker() -> None:
    lock.acquire()
    with handler.lock or lock:
        held.set()
        done.wait()
    lock.release()


def child() -> None:
    handler.acquire()
    handler.release()
    started = threading.Thread(target=int)
    started.start()
    started.join()
    assert not lock.acquire(timeout=0.01) and not lock.acquire(blocking=False)
    lock.release()
    with lock:
        again = threading.Thread(target=lock.acquire)
        again.start()
    again.join()


warnings.simplefilter("ignore")
thread = threading.Thread(target=worker)
thread.start()
held.wait()
pid = os.fork()
if not pid:
    child()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
done.set()
thread.join()
