"""Most of the time a third lock keeps the threads apart, but one of them does without it once."""

import threading

gate, a, b = (threading.Lock() for _ in range(3))


def forwards() -> None:
    with gate, a, b:
        pass


def backwards() -> None:
    with gate, b, a:
        pass


def in_a_hurry() -> None:
    backwards()
    b.acquire()
    a.acquire()  # offending: acquired A while holding B
    a.release()
    b.release()


for work in (forwards, in_a_hurry):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
