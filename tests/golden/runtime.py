"""A fork while another thread has a lock, which the child wants and nobody releases there: an alarm ends it."""

import os
import signal
import threading
import warnings

lock = threading.Lock()
held, done = threading.Event(), threading.Event()


def work() -> None:
    with lock:
        held.set()
        done.wait()


def spawn() -> None:
    if not (pid := os.fork()):
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with lock:
            os._exit(0)
    os.waitpid(pid, 0)


warnings.simplefilter("ignore")
worker = threading.Thread(target=work, name="worker")
worker.start()
held.wait()
spawn()
done.set()
worker.join()
