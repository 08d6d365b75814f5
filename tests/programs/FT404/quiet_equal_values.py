"""All threads write the same: None, True, a small number, equal strings and tuples, one object that they share."""

import threading
from types import SimpleNamespace

state = SimpleNamespace()
table: dict[str, object] = {}
shared_default = ["default"]
is_used = False


def use() -> None:
    global is_used
    is_used = True


def worker(first: str) -> None:
    for _ in range(20):
        state.client = None
        state.is_ready = True
        state.size = len(first) * 1000
        state.name = "-".join(["a", "b"])
        state.key = ("a", len(first))
        state.default = shared_default
        table["mode"] = "fast"
        table["default"] = shared_default
        use()


threads = [threading.Thread(target=worker, args=(first,)) for first in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert is_used and state.name == "a-b"
