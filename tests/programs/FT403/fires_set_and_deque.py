"""A set, a deque and others of collections iterated while another thread changes them."""

import contextlib
import threading
from collections import OrderedDict, defaultdict, deque

tags, history, ordered = {"a"}, deque("abc"), OrderedDict(a=1)
groups = defaultdict(list, a=[1])


def reader() -> None:
    with contextlib.suppress(RuntimeError):
        for _ in tags:  # race: set
            pass
    with contextlib.suppress(RuntimeError):
        for _ in history:  # race: deque
            pass
    with contextlib.suppress(RuntimeError):
        for _ in ordered:  # race: OrderedDict
            pass
    with contextlib.suppress(RuntimeError):
        for _ in groups.items():  # race: defaultdict
            pass


def writer() -> None:
    tags.add("b")  # race: set
    history.appendleft("d")  # race: deque
    ordered.move_to_end("a")  # race: OrderedDict
    groups["b"].append(1)  # race: defaultdict


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
