"""One thread counts in an object, another one in a weak proxy of it."""

import weakref

from ftsan.testing import in_turns


class Stats:
    count = 0


stats = Stats()
proxy = weakref.proxy(stats)


def count() -> None:
    stats.count += 1  # race


def count_by_proxy() -> None:
    proxy.count += 1  # race


in_turns(count, count_by_proxy)
