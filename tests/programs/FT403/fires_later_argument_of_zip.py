"""A list that is the second iterable of zip, and one that `itertools.chain` iterates, while another thread removes elements."""

import itertools
import threading

second, chained = [1, 2, 3], [1, 2, 3]


def reader() -> None:
    for _first, _second in zip("abc", second, strict=False):  # race: zip
        pass
    for _ in itertools.chain("abc", chained):  # race: chain
        pass


def writer() -> None:
    del second[0]  # race: zip
    del chained[0]  # race: chain


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
