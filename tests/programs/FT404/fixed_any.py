"""Each thread writes to a place of its own."""

import threading

statuses: dict[int, str] = {}


def work() -> None:
    for status in ("begun", "running", "done"):
        statuses[threading.get_ident()] = status


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
