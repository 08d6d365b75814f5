"""One thread takes locks in any order; others take them in one order only, or none of them at once."""

import threading

a, b, c = (threading.Lock() for _ in range(3))


def any_order() -> None:
    for first, second in ((a, b), (b, a), (a, c), (c, a)):
        with first, second:
            pass


def one_after_the_other() -> None:
    for lock in (c, b, a):
        with lock:
            pass


def twice() -> None:
    # It would take two threads that wait, and the third to be somewhere else at the same time.
    with b, c:
        pass


threads = [threading.Thread(target=work) for work in (any_order, one_after_the_other, one_after_the_other)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
