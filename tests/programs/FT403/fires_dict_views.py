"""`for key, value in d.items()` and the other views while another thread inserts (threadsafety.rst: not thread-safe)."""

import contextlib
import threading

items, keys, values = {"a": 1}, {"a": 1}, {"a": 1}


def reader() -> None:
    with contextlib.suppress(RuntimeError):
        for _key, _value in items.items():  # race: items
            pass
    with contextlib.suppress(RuntimeError):
        for _key in keys.keys():  # noqa: SIM118  # race: keys
            pass
    with contextlib.suppress(RuntimeError):
        sum(values.values())  # race: values


def writer() -> None:
    items["b"] = 2  # race: items
    keys.setdefault("b", 2)  # race: keys
    values.update(b=2)  # race: values


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
