"""A copy made in one step is iterated while others change the original: what threadsafety.rst recommends."""

import threading

rows, table, tags, data = [3, 1, 2], {"a": 1}, {"a"}, bytearray(b"abc")


def reader() -> None:
    for _ in range(50):
        for _row in rows.copy() + rows[:] + list(rows) + sorted(rows) + [*rows]:
            pass
        for _key, _value in table.copy().items():
            pass
        for _key in list(table) + list(table.keys()) + sorted(table):
            pass
        for _item in list(table.items()) + list({**table}.items()) + list(dict(table).items()):
            pass
        for _tag in tags.copy() | set(tags):
            pass
        for _byte in data.copy():
            pass
        assert tuple(rows) and rows[0]
        assert ",".join(list(tags)) and bytes(data)


def writer(start: int) -> None:
    for number in range(start, start + 50):
        rows.append(number)
        table[str(number)] = number
        tags.add(str(number))
        data.append(number)


threads = [threading.Thread(target=reader), *[threading.Thread(target=writer, args=(start,)) for start in (0, 100)]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
