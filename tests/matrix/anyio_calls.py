"""Every kind of foreign call on anyio's primitives: ``anyio_calls.py asyncio|trio``.

The loop's thread is inside one of its tasks while the calls are made.  Each line marked ``# offending: RULE
OPERATION`` must be reported, and no other.
"""

import contextlib
import sys
import threading
from typing import Any

import anyio

early_send, early_receive = anyio.create_memory_object_stream[int](10)


def misuse(things: dict[str, Any]) -> None:
    """Runs in a thread of its own."""
    tried = lambda: contextlib.suppress(Exception)  # noqa: E731
    things["event"].set()  # offending: FT306 set
    with tried():
        things["scope"].cancel()  # offending: FT306 cancel
    with tried():
        things["group"].start_soon(anyio.sleep, 0)  # offending: FT306 start_soon
    with tried():
        things["semaphore"].release()  # offending: FT306 release
    with tried():
        things["limiter"].acquire_nowait()  # offending: FT306 acquire_nowait
    with tried():
        things["lock"].release()  # offending: FT306 release
    with tried():
        things["condition"].notify()  # offending: FT306 notify
    with tried():
        things["send"].send_nowait(1)  # offending: FT306 send_nowait
    with tried():
        things["receive"].receive_nowait()  # offending: FT306 receive_nowait
    with tried():
        early_send.send_nowait(1)  # offending: FT306 send_nowait
    with tried():
        things["send"].close()  # offending: FT306 close


async def main() -> None:
    early_send.send_nowait(0)
    await early_receive.receive()
    async with anyio.create_task_group() as group:
        things: dict[str, Any] = {"event": anyio.Event(), "semaphore": anyio.Semaphore(1), "limiter": anyio.CapacityLimiter(1)}
        things |= {"group": group, "condition": anyio.Condition(), "lock": anyio.Lock()}
        things["send"], things["receive"] = anyio.create_memory_object_stream[int](10)
        await things["semaphore"].acquire()
        await things["lock"].acquire()
        async with things["condition"]:
            with anyio.CancelScope() as things["scope"]:
                thread = threading.Thread(target=misuse, args=(things,))
                thread.start()
                thread.join()


with contextlib.suppress(Exception, BaseExceptionGroup):
    anyio.run(main, backend=sys.argv[1])
print("ok")
