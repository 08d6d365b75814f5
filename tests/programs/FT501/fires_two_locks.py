"""Two threads take two locks in opposite order, one after the other: no deadlock this time."""

import threading

a, b = threading.Lock(), threading.Lock()


def forwards() -> None:
    with a, b:
        pass


def backwards() -> None:
    with b, a:  # offending: acquired A while holding B
        pass


for work in (forwards, backwards):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
