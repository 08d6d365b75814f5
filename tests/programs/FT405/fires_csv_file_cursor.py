"""One csv.reader, one file and one cursor of a database, read by two threads.

The threads take turns, so that no interpreter crashes of it.
"""

import csv
import io
import sqlite3

from ftsan.testing import in_turns

reader, text = csv.reader(io.StringIO("a,b\n" * 10)), io.StringIO("line\n" * 10)
with open(__file__, encoding="utf-8") as file:
    database = sqlite3.connect(":memory:", check_same_thread=False)
    cursor = database.execute("values (1), (2), (3)")

    def advance() -> None:
        next(reader)  # race: csv
        for _ in text:  # race: text
            break
        next(file)  # race: file
        next(cursor)  # race: cursor

    in_turns(advance, advance)
    database.close()
