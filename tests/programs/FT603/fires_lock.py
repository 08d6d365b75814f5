"""A worker has the lock while the main thread forks, and the child wants it."""

import contextlib
import os
import signal
import threading
import warnings

lock = threading.Lock()
held, done = threading.Event(), threading.Event()


def worker() -> None:
    with lock:
        held.set()
        done.wait()


def give_up(*_: object) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise TimeoutError


def child() -> None:
    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)  # again: a lock that is about to be waited for does not see the first one
    with contextlib.suppress(TimeoutError), lock:  # offending: __enter__
        pass


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
