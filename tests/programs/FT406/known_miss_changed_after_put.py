"""An object is put into a queue and changed afterwards by the thread that gave it away.

The other one only reads, and nothing says that it needs what is written then: FT407, an info.

ALSO: FT407
"""

import queue
import threading


class Order:
    total = 0


order = Order()
orders: queue.Queue[Order] = queue.Queue()


def producer() -> None:
    orders.put(order)
    order.total = 42  # race


def consumer() -> None:
    assert orders.get().total in (0, 42)  # race


threads = [threading.Thread(target=target) for target in (producer, consumer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
