"""Three threads and three locks: no two of them disagree, all three together do."""

import threading

locks = [threading.Lock() for _ in range(3)]


def first() -> None:
    with locks[0], locks[1]:
        pass


def second() -> None:
    with locks[1], locks[2]:
        pass


def third() -> None:
    with (
        locks[2],
        locks[0],  # offending: acquired A while holding C
    ):
        pass


for work in (first, second, third):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
