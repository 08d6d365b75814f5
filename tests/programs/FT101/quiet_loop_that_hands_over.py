"""A loop of the program's own that looks which thread calls, and hands over what another one asks for."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any


class Anywhere(asyncio.SelectorEventLoop):
    """May be told from anywhere what to call."""

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.Handle:
        if self._thread_id not in (None, threading.get_ident()):
            return self.call_soon_threadsafe(callback, *args, context=context)
        return super().call_soon(callback, *args, context=context)


async def main() -> None:
    loop, called = asyncio.get_running_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.call_soon, args=(called.set,))
    thread.start()
    await called.wait()
    thread.join()


with asyncio.Runner(loop_factory=Anywhere) as runner:
    runner.run(main())
