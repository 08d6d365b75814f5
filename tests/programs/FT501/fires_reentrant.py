"""RLocks, taken again while they are held: only the first time counts, and that is in the wrong order."""

import threading

tree, log = threading.RLock(), threading.RLock()


def insert() -> None:
    with tree, log, tree:
        pass


def dump() -> None:
    with log, log:
        tree.acquire()  # offending: acquired A while holding B
        tree.release()


for work in (insert, dump):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
