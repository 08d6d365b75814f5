"""Coroutines, asynchronous generators and contexts that are handed over; re-entrance in one thread, another mistake."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Generator


def in_thread(function: Callable[[], object]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


async def numbers() -> AsyncIterator[int]:
    for number in range(6):
        await asyncio.sleep(0)
        yield number


async def take_two(shared: AsyncIterator[int]) -> list[int]:
    return [await anext(shared), await anext(shared)]


async def hooks_of_the_loop_are_not_inherited(shared: AsyncIterator[int]) -> None:
    assert await take_two(shared) == [0, 1]


async def nothing() -> int:
    await asyncio.sleep(0)
    return 1


# Made here, run there.
coroutine = nothing()
in_thread(lambda: asyncio.run(coroutine))

# One loop after the other.
for _ in range(3):
    fresh = numbers()
    in_thread(lambda fresh=fresh: asyncio.run(hooks_of_the_loop_are_not_inherited(fresh)))
    asyncio.run(fresh.aclose())

# Each loop its own, at the same addresses again and again.
threads = [threading.Thread(target=lambda: [asyncio.run(take_two(numbers())) for _ in range(20)]) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()


# A generator that is driven by one thread after the other, by send.
def echo() -> Generator[int, int]:
    value = 0
    while True:
        value = yield value


generator = echo()
generator.send(None)
in_thread(lambda: generator.send(1))
generator.send(2)
generator.close()

# A context, one thread after the other, and nested.
context = contextvars.copy_context()
in_thread(lambda: context.run(int))
context.run(lambda: contextvars.copy_context().run(int))
with contextlib.suppress(RuntimeError):
    context.run(lambda: context.run(int))


# A generator that resumes itself.
def resumes_itself() -> Generator[None]:
    with contextlib.suppress(ValueError):
        itself.send(None)
    yield


itself = resumes_itself()
itself.send(None)


# Every thread its own coroutines that wait for its own loop, while other loops run.
async def main() -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(nothing())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    await asyncio.gather(*(asyncio.to_thread(lambda: asyncio.run(cancelled())) for _ in range(4)))
    async for _ in numbers():
        pass


asyncio.run(main())
