"""add_done_callback: whichever thread runs it, the task is over; and a Future that is settled by hand."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor


class Item:
    n = 0


def task(item: Item) -> Item:
    item.n += 1
    return item


def after(future: Future[Item]) -> None:
    future.result().n += 1


def parent(items: list[Item]) -> None:
    with ThreadPoolExecutor(4) as pool:
        for item in items:
            pool.submit(task, item).add_done_callback(after)


def settle(item: Item, future: Future[Item]) -> None:
    item.n += 1
    future.set_result(item)


items = [Item() for _ in range(50)]
thread = threading.Thread(target=parent, args=(items,))
thread.start()
thread.join()
settled: Future[Item] = Future()
settling = threading.Thread(target=settle, args=(items[0], settled))
settling.start()
settled.result().n += 1
settling.join()
assert [item.n for item in items] == [4] + [2] * 49
