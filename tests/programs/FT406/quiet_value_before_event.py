"""Values, items and containers written before an event is set, an object put, a future settled."""

import queue
import threading
from concurrent.futures import Future
from types import SimpleNamespace

box, given, promised = SimpleNamespace(), SimpleNamespace(), SimpleNamespace()
ready, boxes, future = threading.Event(), queue.SimpleQueue[SimpleNamespace](), Future[SimpleNamespace]()


def producer() -> None:
    box.value = given.value = promised.value = 42
    box.rows = [1]
    box.rows.append(2)
    ready.set()
    boxes.put(given)
    future.set_result(promised)


def consumer() -> None:
    ready.wait()
    box.value += 1
    assert all(row for row in box.rows)
    box.rows.clear()


def taker() -> None:
    boxes.get().value += 1
    future.result().value += 1


threads = [threading.Thread(target=target) for target in (producer, consumer, taker)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
