"""The selector of a loop changed from a thread that does not run it."""

import asyncio
import socket
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()

    def worker() -> None:
        loop.add_reader(ours, int)  # offending: add_reader
        loop.add_writer(theirs, int)  # offending: add_writer
        loop.remove_reader(ours)  # offending: remove_reader
        loop.remove_writer(theirs)  # offending: remove_writer

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    ours.close()
    theirs.close()


asyncio.run(main())  # created
