"""Set-up and tear-down in another order than the work between them, while there is no other thread."""

import threading

config, registry = threading.Lock(), threading.RLock()


def set_up_or_tear_down() -> None:
    with registry, config:
        pass


def work() -> None:
    for _ in range(20):
        with config, registry:
            pass


set_up_or_tear_down()
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
set_up_or_tear_down()
