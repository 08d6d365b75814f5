"""A thread is started while an attribute is still `None`, and does something with what it finds there.

Whether it comes early, so that it fails, or late enough, this time.

ALSO: FT407
"""

from __future__ import annotations

import threading
from typing import Any

from ftsan.testing import Meeting, wait_until

errors: list[BaseException] = []


class Connection:
    rows = (1,)

    def send(self) -> int:
        return 1


class Late:
    def __init__(self) -> None:
        self.connection: Any = None
        self.rows: Any = None
        self.by_name: Any = None
        self.written = Meeting()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        self.connection = Connection()  # race: attribute
        self.rows = [1]  # race: rows
        self.by_name = {"a": 1}  # race: item
        self.written.join(0)

    def work(self) -> None:
        self.written.join(1)
        assert self.connection.send() == 1  # race: attribute
        for row in self.rows:  # race: rows
            assert row == 1
        assert self.by_name["a"] == 1  # race: item


class Early(threading.Thread):
    connection: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.start()
        wait_until(lambda: errors)
        self.connection = Connection()  # race: early

    def run(self) -> None:
        try:
            self.connection.send()  # race: early
        except AttributeError as error:
            errors.append(error)


connection: Any = None


def start(written: Meeting) -> threading.Thread:
    global connection
    thread = threading.Thread(target=read, args=(written,))
    thread.start()
    connection = Connection()  # race: global
    written.join(0)
    return thread


def read(written: Meeting) -> None:
    written.join(1)
    assert connection.rows == (1,)  # race: global


Late().thread.join()
Early().join()
start(Meeting()).join()
