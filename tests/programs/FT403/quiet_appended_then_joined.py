"""Threads append to one list, add to one set, fill one dict with keys of their own; the iteration comes after join."""

import threading
from collections import Counter, deque

results: list[int] = []
seen: set[int] = set()
table: dict[int, int] = {}
history: deque[int] = deque(maxlen=100)


def worker(start: int) -> None:
    for number in range(start, start + 50):
        results.append(number)
        results.extend([number, number])
        seen.add(number)
        table[number] = number
        table.update({number + 1000: number})
        history.appendleft(number)


threads = [threading.Thread(target=worker, args=(start,)) for start in (0, 100)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert set(Counter(results).values()) == {3}
assert sum(1 for number in seen if number < 200) == 100
for key, value in table.items():
    assert key % 1000 == value
assert sum(history) == sum(seen)
results.clear()
table.clear()
