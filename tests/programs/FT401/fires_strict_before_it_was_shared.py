"""A counter that its creator increments after it has started a thread, and perhaps before that thread uses it.

OPTIONS: --strict
"""

import threading


class Stats:
    hits = 0


def hit(stats: Stats) -> None:
    stats.hits += 1  # race


stats = Stats()
thread = threading.Thread(target=hit, args=(stats,))
thread.start()
hit(stats)
thread.join()
