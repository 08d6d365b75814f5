"""Cursors of one database, a thread's own, one under a lock, one that is handed over with its rows; and a `csv.DictReader`."""

import csv
import io
import queue
import sqlite3
import threading

from ftsan.testing import run

# CPython 3.14t hands one cached statement to two threads at once, which then see each other's rows.
database = sqlite3.connect(":memory:", check_same_thread=False, cached_statements=0)
database.execute("create table numbers (n)")
shared, lock = database.cursor(), threading.Lock()
reader = csv.DictReader(io.StringIO("a\n" + "1\n" * 100))
handed: queue.Queue[sqlite3.Cursor] = queue.Queue()


class Counted(csv.DictReader[str]):
    def __init__(self) -> None:
        super().__init__([])
        self.lock, self.rows = threading.Lock(), iter(range(100))

    def __next__(self) -> int:  # type: ignore[override]
        with self.lock:
            return next(self.rows)


counted = Counted()


def own() -> None:
    for _ in range(10):
        cursor = database.cursor()
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)
        assert database.execute("select 2").fetchall() == [(2,)]


def locked() -> None:
    own()
    for number in range(10):
        with lock:
            shared.execute("insert into numbers values (?)", (number,))
            shared.execute("select n from numbers")
            assert shared.fetchmany(1) and shared.fetchall() is not None
            next(reader)
        next(counted)


def give() -> None:
    cursor = database.cursor()
    cursor.execute("values (1), (2)")
    assert cursor.fetchone() == (1,)
    handed.put(cursor)


run(locked, locked)
run(give, lambda: handed.get().fetchall())
database.close()
