"""Each thread has its own attributes of a threading.local, of a subclass of it too.

UNSEEN: accesses
"""

import threading

plain = threading.local()


class Context(threading.local):
    def __init__(self) -> None:
        self.depth = 0
        self.names: list[str] = []


context = Context()


def worker() -> None:
    plain.n = 0
    for _ in range(100):
        plain.n += 1
        context.depth += 1
        if not hasattr(plain, "cache"):
            plain.cache = {}
        context.names.append("a")
    assert (plain.n, context.depth, len(context.names)) == (100, 100, 100)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
