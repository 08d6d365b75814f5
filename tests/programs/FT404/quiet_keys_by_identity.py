"""Threads keep their own objects in one dictionary, by the object, its id or a tuple, and take them off; addresses are used again.

ALSO: FT407
"""

import threading


class Connection:
    pass


by_object: dict[Connection, int] = {}
by_number: dict[int, int] = {}
by_both: dict[tuple[str, Connection], int] = {}


def serve() -> None:
    for number in range(50):
        connection = Connection()
        if connection not in by_object:
            by_object[connection] = number
        by_number[id(connection)] = number
        by_both["open", connection] = number
        assert by_object.pop(connection) == number
        assert by_number[id(connection)] == number
        del by_number[id(connection)]
        del by_both["open", connection]


for _ in range(4):
    thread = threading.Thread(target=serve)
    thread.start()
threads = [threading.Thread(target=serve) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
