"""One generator that two threads advance (gh-120321).

verdict: interpreter-bug
racing: worker
"""

import contextlib
import threading


def items():
    while True:
        yield from range(50)


while True:
    generator = items()
    together = threading.Barrier(4)

    def worker(generator=generator, together=together) -> None:
        together.wait()
        for _ in range(20_000):
            with contextlib.suppress(ValueError, TypeError, AttributeError, RuntimeError, StopIteration, SystemError):
                next(generator)

    threads = [threading.Thread(target=worker, name=f"worker-{number}") for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
