"""Several threads iterate over what nobody changes any more: a list, a dict, a range, a global tuple, a set."""

import threading

rows = [*range(10)]
table = {}
for row in rows:
    table[row] = str(row)
tags = {str(row) for row in rows}


def worker() -> None:
    for _ in range(20):
        assert sum(rows) == sum(row for row in rows if row in table)
        for (row, name), other in zip(table.items(), rows, strict=True):
            assert str(row) == name == str(other)
        assert all(tag.isdigit() for tag in tags)
        assert list(map(str, rows)) == [*table.values()]


threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
