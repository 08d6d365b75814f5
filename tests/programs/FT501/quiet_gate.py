"""Two orders, but a thread that takes both locks holds a third one meanwhile."""

import threading

gate, a, b, c = (threading.Lock() for _ in range(4))


def forwards() -> None:
    with gate, a, b:
        pass


def backwards() -> None:
    with c, gate, b, a:
        pass


for _ in range(2):
    threads = [threading.Thread(target=work) for work in (forwards, backwards)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
