"""An object is changed after a timer was started whose function changes it, too."""

import threading

from ftsan.testing import wait_until


class Stats:
    count = 0


def count() -> None:
    wait_until(lambda: has_counted)
    stats.count += 1  # race


has_counted: list[bool] = []
stats = Stats()
timer = threading.Timer(0, count)
timer.start()
stats.count += 1  # race
has_counted.append(True)
timer.join()
