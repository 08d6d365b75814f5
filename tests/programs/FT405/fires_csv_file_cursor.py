"""One csv.reader, one file and one cursor of a database, read by two threads.

The threads take turns by a file, so that no interpreter crashes of it; nobody takes a file for order between threads.
"""

import csv
import io
import os
import sqlite3
import tempfile
import threading
import time

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

    def worker(waits_for: str, then: str) -> None:
        while not os.path.exists(waits_for):
            time.sleep(0.001)
        advance()
        os.mkdir(then)

    with tempfile.TemporaryDirectory() as folder:
        first, second, done = folder, os.path.join(folder, "second"), os.path.join(folder, "done")
        threads = [threading.Thread(target=worker, args=args) for args in ((first, second), (second, done))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    database.close()
