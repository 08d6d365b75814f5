"""One cursor of a database: what a thread fetches are the rows of the statement that another one has executed in the meantime."""

import sqlite3

from ftsan.testing import in_turns

database = sqlite3.connect(":memory:", check_same_thread=False)
one, all_, some, bound = database.cursor(), database.cursor(), database.cursor(), database.cursor()
for cursor in (one, all_, some, bound):
    cursor.execute("values (1), (2), (3), (4)")
fetch = bound.fetchone


def query() -> None:
    one.execute("select 1")  # race: one
    one.fetchone()  # maybe: one
    all_.fetchall()  # race: all
    some.fetchmany(2)  # race: some
    fetch()  # race: bound


in_turns(query, query)
database.close()
