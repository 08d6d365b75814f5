"""A coroutine, a generator-based one and an asynchronous generator are resumed by one thread while another one is inside them."""

import contextlib
import threading
import types
from collections.abc import AsyncIterator, Callable, Generator

inside, leave = threading.Event(), threading.Event()


def block() -> None:
    inside.set()
    leave.wait()  # owner


async def coroutine() -> None:
    block()


@types.coroutine
def generator_based() -> Generator[None]:
    block()
    yield


async def asynchronous() -> AsyncIterator[int]:
    block()
    yield 1


def overlap(drive: Callable[[], object], misuse: Callable[[], object]) -> None:
    inside.clear()
    leave.clear()

    def run() -> None:
        with contextlib.suppress(StopIteration):
            drive()

    thread = threading.Thread(target=run)
    thread.start()
    inside.wait()
    with contextlib.suppress(ValueError, RuntimeError):
        misuse()
    leave.set()
    thread.join()


one, two, three, four = coroutine(), generator_based(), asynchronous(), asynchronous()
overlap(lambda: one.send(None), lambda: one.send(None))  # offending: send
overlap(lambda: two.send(None), lambda: two.throw(KeyError))  # offending: throw
overlap(lambda: three.asend(None).send(None), lambda: three.aclose())  # offending: aclose
step = four.asend(None)
overlap(lambda: four.asend(None).send(None), lambda: step.send(None))  # offending: send
