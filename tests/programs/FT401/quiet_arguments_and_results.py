"""Objects given to a thread and got back from it, with join between; the same ones go to the next thread."""

import threading


class Basket:
    def __init__(self) -> None:
        self.total = 0
        self.rows: list[int] = []


def fill(basket: Basket, results: dict[str, Basket]) -> None:
    basket.total += 1
    basket.rows += [basket.total]
    results["basket"] = basket


def parent(basket: Basket) -> None:
    results: dict[str, Basket] = {}
    for _ in range(5):
        basket.total += 1
        thread = threading.Thread(target=fill, args=(basket, results))
        thread.start()
        thread.join()
        basket = results["basket"]
        for row in basket.rows:
            assert row


basket = Basket()
thread = threading.Thread(target=parent, args=(basket,))
thread.start()
thread.join()
assert basket.total == 10
