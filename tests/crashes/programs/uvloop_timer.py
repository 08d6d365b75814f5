"""A timer set in uvloop's heap by a thread that does not run the loop.

verdict: cross-thread-misuse
racing: worker
packages: uvloop==0.22.1
"""

import asyncio
import threading

import uvloop


async def main() -> None:
    loop = asyncio.get_running_loop()

    def worker() -> None:
        while True:
            for _ in range(200):
                loop.call_later(0.001, int)

    for number in range(3):
        threading.Thread(target=worker, name=f"worker-{number}", daemon=True).start()
    while True:
        for _ in range(200):
            loop.call_later(0.001, int)
        await asyncio.sleep(0)


asyncio.run(main(), loop_factory=uvloop.new_event_loop)
