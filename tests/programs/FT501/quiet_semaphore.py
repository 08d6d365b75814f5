"""Semaphores with one permit keep apart who takes two locks in different orders."""

import threading

turn = threading.Semaphore(1)
mine = threading.BoundedSemaphore()
a, b, c, d = (threading.Lock() for _ in range(4))


def forwards() -> None:
    with turn, a, b:
        pass
    mine.acquire()
    with c, d:
        pass
    mine.release()


def backwards() -> None:
    with turn, b, a:
        pass
    if mine.acquire(timeout=5):
        with d, c:
            pass
        mine.release()


for _ in range(2):
    threads = [threading.Thread(target=work) for work in (forwards, backwards)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
