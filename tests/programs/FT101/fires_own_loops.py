"""Loops that are the program's own: a subclass with methods of its own, and one that is no subclass of asyncio's loops at all."""

import asyncio
import collections
import threading
from collections.abc import Callable
from typing import Any


class Counting(asyncio.SelectorEventLoop):
    """Has a method that does not go through asyncio's, and one that does."""

    scheduled = 0

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.TimerHandle:
        self.scheduled += 1
        return super().call_later(delay, callback, *args, context=context)


class Tiny(asyncio.AbstractEventLoop):
    """Enough of a loop to run a coroutine that does not wait."""

    def __init__(self) -> None:
        self.ready = collections.deque[asyncio.Handle]()

    def get_debug(self) -> bool:
        return False

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append(handle)
        return handle

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise context["exception"]

    def run_until_complete(self, future: Any) -> None:
        task = asyncio.Task(future, loop=self)
        asyncio.events._set_running_loop(self)
        try:
            while not task.done():
                self.ready.popleft()._run()
        finally:
            asyncio.events._set_running_loop(None)
        task.result()


async def main() -> None:
    loop = asyncio.get_running_loop()

    def worker() -> None:
        loop.call_soon(int)  # offending: call_soon
        loop.call_later(60, int)  # offending: call_later

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    thread.join()  # owner


async def tiny() -> None:
    loop = asyncio.get_running_loop()
    thread = threading.Thread(target=lambda: loop.call_soon(int))  # offending: call_soon
    thread.start()  # owner
    thread.join()  # owner


with asyncio.Runner(loop_factory=Counting) as runner:
    runner.run(main())
Tiny().run_until_complete(tiny())
