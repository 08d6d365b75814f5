"""An object is changed after it was given to a pool that has no thread yet."""

from concurrent.futures import ThreadPoolExecutor

from ftsan.testing import wait_until


class Stats:
    count = 0


stats = Stats()


def count() -> None:
    wait_until(lambda: has_counted)
    stats.count += 1  # race


has_counted: list[bool] = []
with ThreadPoolExecutor(1) as pool:
    work = pool.submit(count)
    stats.count += 1  # race
    has_counted.append(True)
