"""An attribute is looked for by its name, and set if it is not there."""

import threading


class Node:
    pass


node = Node()


def with_hasattr() -> None:
    if not hasattr(node, "children"):  # maybe: hasattr
        node.children = []  # type: ignore[attr-defined]  # race: hasattr


def with_getattr() -> None:
    if getattr(node, "parents", None) is None:  # maybe: getattr
        node.parents = []  # type: ignore[attr-defined]  # race: getattr


def with_setattr(name: str) -> None:
    if not hasattr(node, name):  # maybe: setattr
        setattr(node, name, [])  # race: setattr


def worker() -> None:
    with_hasattr()
    with_getattr()
    with_setattr("siblings")


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
