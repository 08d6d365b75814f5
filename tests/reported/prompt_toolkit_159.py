"""prompt-toolkit/python-prompt-toolkit#159: call_from_executor, which is called by threads, schedules with call_soon.

Proposed: call_soon_threadsafe.
"""

import asyncio
import sys
import threading


class EventLoop:
    """As in prompt_toolkit: wraps a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def call_from_executor(self, callback: object) -> None:
        if sys.argv[1] == "bad":
            self.loop.call_soon(callback)  # offending: FT101
        else:
            self.loop.call_soon_threadsafe(callback)


async def main() -> None:
    wrapper, printed = EventLoop(asyncio.get_running_loop()), asyncio.Event()
    thread = threading.Thread(target=lambda: wrapper.call_from_executor(printed.set))
    thread.start()
    await asyncio.to_thread(thread.join)
    await asyncio.wait_for(printed.wait(), 5)


asyncio.run(main())
