"""Both threads have a semaphore of their own, which keeps nobody apart."""

import threading

left, right = threading.Semaphore(1), threading.BoundedSemaphore(1)
a, b = threading.Lock(), threading.Lock()


def forwards() -> None:
    with left, a, b:
        pass


def backwards() -> None:
    with right:
        pass
    with left:
        pass
    with right, b:
        a.acquire()  # offending: acquired A while holding B
        a.release()


for work in (forwards, backwards):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
