"""Greenlets as SQLAlchemy's bridge uses them, switched in the middle of a step of a task, in several loops; and plain ones."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import greenlet


def await_only(awaitable: Awaitable[Any]) -> Any:
    """Waits, from within synchronous code that runs in a greenlet of a coroutine."""
    return greenlet.getcurrent().parent.switch(awaitable)


async def greenlet_spawn(function: Callable[..., Any], *arguments: Any) -> Any:
    context = greenlet.greenlet(function)
    result = context.switch(*arguments)
    while not context.dead:
        result = context.switch(await result)
    return result


def query(lock: asyncio.Lock, number: int) -> int:
    await_only(lock.acquire())
    await_only(asyncio.sleep(0))
    asyncio.get_running_loop().call_soon(lambda: None)
    lock.release()
    future = asyncio.get_running_loop().create_future()
    future.get_loop().call_later(0.001, future.set_result, number)
    return await_only(future)


async def main() -> None:
    lock = asyncio.Lock()
    assert await asyncio.gather(*(greenlet_spawn(query, lock, number) for number in range(20))) == list(range(20))


def plain() -> None:
    def child() -> str:
        return greenlet.getcurrent().parent.switch("first") + "third"

    for _ in range(100):
        one = greenlet.greenlet(child)
        assert one.switch() == "first"
        assert one.switch("second") == "secondthird"
        assert one.dead and one.gr_frame is None


threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(3)] + [
    threading.Thread(target=plain) for _ in range(3)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
# A greenlet that was made by a thread which has ended may be looked at.
made: list[greenlet.greenlet] = []
thread = threading.Thread(target=lambda: made.append(greenlet.greenlet(int)))
thread.start()
thread.join()
assert made[0].gr_frame is None
