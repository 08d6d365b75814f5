"""A copy is iterated over."""

import threading

listeners: dict[int, int] = {}


def work() -> None:
    for number in range(100):
        listeners[threading.get_ident() + number] = number
        for listener in listeners.copy().values():
            assert listener >= 0


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
