"""One generator that two threads advance (gh-120321).  The interpreter dies of it in many ways; a few look like nothing known.

verdict: interpreter-bug|unknown|cross-thread-misuse
racing: worker
fixed: 3.15
threads: at once
"""

import contextlib
import threading
from collections.abc import Iterator


def items() -> Iterator[int]:
    while True:
        for number in range(50):
            yield -number


while True:
    generator = items()
    together = threading.Barrier(4)

    def worker(generator: Iterator[int] = generator, together: threading.Barrier = together) -> None:
        together.wait()
        for _ in range(20_000):
            with contextlib.suppress(ValueError, TypeError, AttributeError, RuntimeError, StopIteration, SystemError):
                next(generator)

    threads = [threading.Thread(target=worker, name=f"worker-{number}") for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
