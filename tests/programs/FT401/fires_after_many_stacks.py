"""A counter, after more different stacks were recorded than are kept in full: each end of the race is still where it is."""

import threading


class Counter:
    def __init__(self) -> None:
        self.steps = self.total = 0


def climb(steps: int) -> None:
    """Each number has a path of its own through these calls."""
    match steps % 3:
        case _ if steps == 0:
            counter.steps += 1
        case 0:
            climb(steps // 3)
        case 1:
            climb(steps // 3)
        case 2:
            climb(steps // 3)


def count() -> None:
    counter.total += 1  # race: total


counter = Counter()
thread = threading.Thread(target=lambda: [climb(steps) for steps in range(80_000)])
thread.start()
thread.join()
threads = [threading.Thread(target=count) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
