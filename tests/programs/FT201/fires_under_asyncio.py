"""A socket that a loop reads from, closed by a worker."""

import asyncio
import socket
import threading
import time


async def main() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: None)

    def worker() -> None:
        time.sleep(0.2)
        ours.close()  # offending: close

    thread = threading.Thread(target=worker)
    loop.call_later(0.1, thread.start)
    await asyncio.sleep(0.4)  # owner
    thread.join()
    theirs.close()


asyncio.run(main())  # owner
