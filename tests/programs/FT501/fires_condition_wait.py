"""A thread that waits for a condition gives up its lock, keeps the other one, and then wants the first one back."""

import threading

ready = threading.Condition()
lock = threading.Lock()


def producer() -> None:
    with ready, lock:
        ready.notify()


def consumer() -> None:
    with ready, lock:
        ready.wait(0.01)  # offending: acquired A while holding B


for work in (producer, consumer):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
