"""A cache that holds its values weakly has a `setdefault()` of Python code, which looks and puts: two threads may get two pages.

python-dateutil 4.0.0 has it in `tz.tzoffset`: two time zones for one offset, in 9 of 20 processes of 5,000 offsets.
"""

import weakref

from ftsan.testing import in_turns


class Page:
    pass


cache: weakref.WeakValueDictionary[str, Page] = weakref.WeakValueDictionary()
kept: list[Page] = []


def worker() -> None:
    kept.append(cache.setdefault("k", Page()))  # race


in_turns(worker, worker)
