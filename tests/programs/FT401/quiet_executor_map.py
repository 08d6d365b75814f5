"""Executor.map: each task its own object, made elsewhere; its results, and what the tasks did to the objects."""

import threading
from concurrent.futures import ThreadPoolExecutor


class Item:
    def __init__(self, number: int) -> None:
        self.n = number


def task(item: Item) -> Item:
    item.n += 1
    return item


def parent(items: list[Item]) -> None:
    for item in items:
        item.n += 1
    with ThreadPoolExecutor(4) as pool:
        for item in pool.map(task, items):
            item.n += 1
        pool.map(task, items)
    for item in items:
        item.n += 1


items = [Item(number) for number in range(50)]
thread = threading.Thread(target=parent, args=(items,))
thread.start()
thread.join()
assert [item.n for item in items] == list(range(5, 55))
