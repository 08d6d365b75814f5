"""Each thread runs in a copy of the context.

UNSEEN: loops
"""

import contextvars
import threading
from collections.abc import Callable

barrier = threading.Barrier(2)


def work(run: Callable[[Callable[[], int]], int]) -> None:
    run(barrier.wait)


threads = [threading.Thread(target=work, args=(contextvars.copy_context().run,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
