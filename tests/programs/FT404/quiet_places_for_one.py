"""A place for one item: it is put there when the place is free, and taken out by whoever has waited for it.

ALSO: FT407
"""

import threading
import time


class Place:
    item: list[int] | None = None
    value: list[int] | None = None
    is_full = False


place = Place()


def puts() -> None:
    for number in range(10):
        while place.item is not None:
            time.sleep(0)
        place.item = [number]
        while place.is_full:
            time.sleep(0)
        place.value = [number]
        place.is_full = True


def takes() -> None:
    for number in range(10):
        while place.item is None:
            time.sleep(0)
        item = place.item
        place.item = None
        item.append(number)
        while not place.is_full:
            time.sleep(0)
        value = place.value
        place.is_full = False
        assert value is not None
        value.append(number)


threads = [threading.Thread(target=target) for target in (puts, takes)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
