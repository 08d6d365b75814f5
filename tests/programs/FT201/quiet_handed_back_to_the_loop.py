"""A socket that a loop has registered is taken out there before a thread closes it, or is closed after the loop."""

import asyncio
import socket
import threading

pairs = [socket.socketpair() for _ in range(2)]


async def main() -> None:
    loop = asyncio.get_running_loop()
    for ours, _ in pairs:
        loop.add_reader(ours, int)
    loop.remove_reader(pairs[0][0])
    thread = threading.Thread(target=pairs[0][0].close)
    thread.start()
    thread.join()


asyncio.run(main())
for pair in pairs:
    for end in pair:
        end.close()
