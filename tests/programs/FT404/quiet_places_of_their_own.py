"""Each thread writes its own index, key, attribute or slot: `results[i] = x` and `d[k] = v` on different keys are safe."""

import threading
from array import array
from types import SimpleNamespace
from typing import Any


class Pair:
    __slots__ = ("left", "right")


results: list[Any] = [None] * 4
table: dict[int, int] = {}
namespace, pair, data, samples = SimpleNamespace(), Pair(), bytearray(4), array("i", [0] * 4)


def worker(me: int) -> None:
    for number in range(50):
        results[me] = number
        results[me - 4] += 1
        table[me] = table.get(me, 0) + 1
        table[me + 10 * number] = number
        setattr(namespace, f"worker{me}", number)
        data[me] = number
        samples[me] += 1
        if me < 2:
            setattr(pair, ("left", "right")[me], number)


threads = [threading.Thread(target=worker, args=(me,)) for me in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert results == [50] * 4 and list(samples) == [50] * 4 and [table[me] for me in range(4)] != [0] * 4
