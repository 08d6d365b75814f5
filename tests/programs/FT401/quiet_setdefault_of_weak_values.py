"""`setdefault()` of a cache that holds its values weakly, under a lock; and that of a dict, which is one step."""

import threading
import weakref

from ftsan.testing import in_turns


class Page:
    pass


cache: weakref.WeakValueDictionary[str, Page] = weakref.WeakValueDictionary()
pages: dict[str, Page] = {}
kept: list[Page] = []
lock = threading.Lock()


def worker() -> None:
    with lock:
        kept.append(cache.setdefault("k", Page()))
    kept.append(pages.setdefault("k", Page()))


in_turns(worker, worker)
