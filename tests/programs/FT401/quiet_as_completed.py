"""as_completed and wait return what is over."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, as_completed, wait


class Item:
    n = 0


def task(item: Item) -> Item:
    item.n += 1
    return item


def parent(items: list[Item]) -> None:
    with ThreadPoolExecutor(4) as pool:
        futures = {pool.submit(task, item): item for item in items}
        for future in as_completed(futures):
            futures[future].n += 1
        running = {pool.submit(task, item): item for item in items}
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                running.pop(future).n += 1
        while_done = [pool.submit(task, item) for item in items]
        while not all(future.done() for future in while_done):
            pass
        for item in items:
            item.n += 1


items = [Item() for _ in range(20)]
thread = threading.Thread(target=parent, args=(items,))
thread.start()
thread.join()
assert {item.n for item in items} == {6}
