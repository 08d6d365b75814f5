"""SQLite lets one transaction write at a time, by whatever name it knows the file: each comes after the one before it."""

import os
import sqlite3
import tempfile
import threading


class Count:
    by_statement = by_with = 0


count = Count()
path = os.path.join(tempfile.mkdtemp(), "base")
with sqlite3.connect(path) as setup:
    setup.execute("CREATE TABLE job (number INTEGER)")
    setup.execute("INSERT INTO job VALUES (0)")
setup.close()


def worker(name: str) -> None:
    for _ in range(10):
        base = sqlite3.connect(name, timeout=60, isolation_level=None)
        base.execute("BEGIN IMMEDIATE")
        count.by_statement += 1
        base.execute("COMMIT")
        cursor = base.cursor()
        cursor.execute("begin exclusive")
        count.by_statement += 1
        base.commit()
        base.close()
        base = sqlite3.connect(name, timeout=60)
        with base:
            base.execute("UPDATE job SET number = number + 1")
            count.by_with += 1
        base.close()


threads = [threading.Thread(target=worker, args=(name,)) for name in (path, os.path.relpath(path))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert (count.by_statement, count.by_with) == (40, 20)
