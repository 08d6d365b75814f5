"""The lock of a Condition and another lock in opposite order."""

import threading

ready = threading.Condition()
lock = threading.Lock()


def consumer() -> None:
    with ready, lock:
        ready.notify()


def producer() -> None:
    with lock, ready:  # offending: acquired A while holding B
        ready.notify_all()


for work in (consumer, producer):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
