"""A thread that finds no owner takes the place, and two may find none: a comparison with the own thread is another question."""

import threading
from threading import current_thread


class Desk:
    owner: threading.Thread | None = None


desk = Desk()


def worker() -> None:
    me = current_thread()
    if desk.owner is None:  # maybe
        desk.owner = me  # race


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
