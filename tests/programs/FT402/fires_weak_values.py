"""A cache that holds its values weakly is filled if the value that is asked for is not there."""

import weakref

from ftsan.testing import in_turns


class Page:
    pass


cache: weakref.WeakValueDictionary[str, Page] = weakref.WeakValueDictionary()
kept: list[Page] = []


def by_get() -> None:
    page = cache.get("k")  # race: got
    if page is None:
        page = cache["k"] = Page()  # race: got
    kept.append(page)


def by_key() -> None:
    if "j" not in cache:  # race: asked
        page = cache["j"] = Page()  # race: asked
        kept.append(page)


def worker() -> None:
    by_get()
    by_key()


in_turns(worker, worker)
