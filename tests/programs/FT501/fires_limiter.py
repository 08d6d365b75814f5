"""A semaphore with two permits keeps two threads apart no more than none does."""

import threading

limiter = threading.Semaphore(2)
a, b = threading.Lock(), threading.Lock()


def forwards() -> None:
    with limiter, a, b:
        pass


def backwards() -> None:
    with limiter, b:
        a.acquire()  # offending: acquired A while holding B
        a.release()


for work in (forwards, backwards):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
