"""Counters in lambdas, comprehensions and generator expressions."""

import threading

table = {"a": 0}
total = 0


class Stats:
    hits = 0


stats = Stats()
by_lambda = lambda: setattr(stats, "hits", stats.hits + 1)  # noqa: E731  # race: lambda


def by_comprehension() -> None:
    global total
    [total := total + 1 for _ in range(10)]  # race: comprehension


def count(name: str) -> None:
    table[name] += 1  # race: expression


def by_generator_expression() -> None:
    any(count(name) for name in ["a"] * 10)


def worker() -> None:
    by_lambda()
    by_comprehension()
    by_generator_expression()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
