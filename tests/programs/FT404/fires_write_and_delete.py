"""One thread writes an attribute and an item, another one deletes them."""

import contextlib
import threading


class Session:
    user = ""


session, table = Session(), {"user": "a"}
session.user = "anna"


def writer() -> None:
    session.user = "bert"  # race: attribute
    table["user"] = "bert"  # race: item


def deleter() -> None:
    with contextlib.suppress(AttributeError):
        del session.user  # race: attribute
    with contextlib.suppress(KeyError):
        del table["user"]  # race: item


threads = [threading.Thread(target=target) for target in (writer, deleter)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
