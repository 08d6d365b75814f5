"""A variable of the module is made where it is not bound yet: under a lock, looked at again under it, or the same text each time.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns, run

lock = threading.Lock()
connection: object
table: object
title: str


def connect() -> object:
    global connection
    with lock:
        try:
            return connection
        except NameError:
            connection = object()
            return connection


def rows() -> object:
    global table
    try:
        return table
    except NameError:
        with lock:
            try:
                return table
            except NameError:
                table = []
                return table


def name() -> str:
    global title
    try:
        return title
    except NameError:
        title = "a".upper()
        return title


def work() -> None:
    connect()
    rows()
    name()


for launch in (in_turns, run):
    launch(work, work)
    del connection, table, title
