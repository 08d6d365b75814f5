"""New locks where old ones were: what was learnt of the old ones is not theirs."""

import threading

kept = threading.Lock()
seen: set[int] = set()
again = 0


def kept_first() -> None:
    lock = threading.Lock()
    seen.add(id(lock))
    with kept, lock:
        pass


def kept_last() -> None:
    global again
    lock = threading.RLock() if again % 3 == 2 else threading.Lock()
    again += id(lock) in seen
    with lock, kept:
        pass


def run(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def several(work: object) -> None:
    for _ in range(200):
        work()  # type: ignore[operator]


for _ in range(5):
    run(lambda: several(kept_first))
    run(lambda: several(kept_last))
assert again
